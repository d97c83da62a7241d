# Completion of kizashi's commands and options for bash; the program itself says what there is.
# shellcheck shell=bash

_kizashi() {
    local word=${COMP_WORDS[COMP_CWORD]} commands command=''
    commands=$(kizashi --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\( [a-z]*\)\{0,1\}\)  .*/\1/p')
    COMPREPLY=()
    if [ "$COMP_CWORD" = 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(cut -d' ' -f1 <<<"$commands")" -- "$word")
        return
    fi
    if grep -qx "${COMP_WORDS[1]} ${COMP_WORDS[2]-}" <<<"$commands"; then
        command="${COMP_WORDS[1]} ${COMP_WORDS[2]}"
    elif [ "$COMP_CWORD" = 2 ] && grep -q "^${COMP_WORDS[1]} " <<<"$commands"; then
        mapfile -t COMPREPLY < <(compgen -W "$(sed -n "s/^${COMP_WORDS[1]} //p" <<<"$commands")" -- "$word")
        return
    else
        command=${COMP_WORDS[1]}
    fi
    case $word in
    -*)
        # shellcheck disable=SC2086 # a command may be two words
        mapfile -t COMPREPLY < <(compgen -W "$(kizashi $command --help 2>/dev/null |
            sed -n 's/^  \(--[a-z-]*\).*/\1/p')" -- "$word")
        ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    esac
}
complete -o filenames -F _kizashi kizashi
