/* sluice completion: what bash is to know. The words come from the program's own help,
 * so that nothing is written twice. */
#include "command.h"
#include "options.h"

static const char script[] =
    "# source <(sluice completion)\n"
    "_sluice() {\n"
    "  local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words=\n"
    "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
    "    words=$(\"$1\" --help | sed -n 's/^  \\([a-z][a-z-]*\\)  *[a-z].*/\\1/p')\n"
    "  elif [ \"${word#-}\" != \"$word\" ]; then\n"
    "    words=$(\"$1\" \"$command\" --help | grep -o -e '^ *--[a-z-]*' | tr -d ' ')\n"
    "  elif [ \"$command\" = connectors ] && [ \"$COMP_CWORD\" = 2 ]; then\n"
    "    words=$(\"$1\" connectors --actions)\n"
    "  elif [ \"$command\" = connectors ]; then\n"
    "    words=$(\"$1\" connectors list --names 2>/dev/null)\n"
    "  fi\n"
    "  local IFS=$'\\n'\n"
    "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
    "}\n"
    "complete -o default -F _sluice sluice\n";

static const cli_option options[] = {{.name = NULL}};

static const cli_usage usage = {
    .synopsis = "sluice completion",
    .doc =
        "Prints what bash needs to complete commands, options, actions and the names "
        "of connectors.",
    .options = options,
    .examples = "  source <(sluice completion)\n",
};

static int run(int argc, char **argv)
{
    char none;
    cli_texts arguments;
    int code;
    if (!cli_begin(&usage, argc, argv, &none, &arguments, &code)) {
        return code;
    }
    fputs(script, stdout);
    cli_parse_done(&usage, &none, &arguments);
    return CLI_DONE;
}

const cli_command cli_completion = {
    .name = "completion",
    .summary = "prints what bash needs to complete the command line",
    .run = run,
};
