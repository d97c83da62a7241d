signature d { on tcp; chance 2^-32; source "s"; each off >= 5; pair a.seq ^ b.seq == swap(a.dst ^ b.dst) && (a.ack != b.ack || a.id + 1 == b.id); }
