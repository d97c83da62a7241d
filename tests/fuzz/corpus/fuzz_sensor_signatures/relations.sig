# every form of term
signature a { tool x; kind worm; on syn; from 2016-08-01; to 2020-01-01; chance 2^-16; source "s" "t"; limits "l";
  match id == (dst ^ dport ^ seq) & 0xffff && (win < 5 || !(ttl0 == 64)) && seq == swap(dst ^ src) ^ (sport << 16 | dport); }
