# SPDX-License-Identifier: Apache-2.0
#
# Completion of kist for fish.  Commands, options and the words of choices come from the tables of the program itself
# (`kist __options`: tab-separated lines).

function __kist_ids
    kist list -q 2>/dev/null
end

complete -c kist -f

for line in (kist __options 2>/dev/null)
    set -l field (string split \t -- $line)
    if test $field[1] = command
        complete -c kist -n __fish_use_subcommand -a $field[2] -d $field[3]
        if string match -qr '^ID' -- $field[4]; and not contains -- $field[2] create run
            complete -c kist -n "__fish_seen_subcommand_from $field[2]" -a '(__kist_ids)'
        end
        continue
    end
    # option, command, --name, -n, ARGUMENT, help
    set -l arguments -c kist -d $field[6]
    if test $field[2] = kist
        set -a arguments -n __fish_use_subcommand
    else
        set -a arguments -n "__fish_seen_subcommand_from $field[2]"
    end
    test $field[3] = -; or set -a arguments -l (string sub -s 3 -- $field[3])
    test $field[4] = -; or set -a arguments -s (string sub -s 2 -- $field[4])
    switch $field[5]
        case -
        case '=*'
            set -a arguments -a (string replace -a '|' ' ' -- (string sub -s 2 -- $field[5]))
        case '*|*'
            set -a arguments -x -a (string replace -a '|' ' ' -- $field[5])
        case DIR
            set -a arguments -x -a '(__fish_complete_directories)'
        case FILE SOCKET LOG
            set -a arguments -r -F
        case '*'
            set -a arguments -x
    end
    complete $arguments
end
