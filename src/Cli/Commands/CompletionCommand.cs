using System.CommandLine;

namespace OllamaMax.Cli.Commands;

/// <summary><c>completion SHELL</c>: a script that has the shell complete this tool's commands and options. The tool itself answers what comes next (System.CommandLine's [suggest]).</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # eval "$(ollamamax completion bash)", in ~/.bashrc
        _ollamamax() {
          local word=$2 suggestion
          COMPREPLY=()
          while IFS= read -r suggestion; do
            # Options only to who begins one: what is no option may be a file.
            [[ $suggestion == "$word"* ]] && [[ $word == -* || $suggestion != [-/]* ]] && COMPREPLY+=("$suggestion")
          done < <(ollamamax "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)
        }
        complete -o default -F _ollamamax ollamamax
        """;

    private const string Zsh = """
        # eval "$(ollamamax completion zsh)", in ~/.zshrc
        _ollamamax() {
          local -a suggestions
          suggestions=(${(f)"$(ollamamax "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)"})
          # Options only to who begins one: what is no option may be a file.
          [[ $PREFIX == -* ]] || suggestions=(${suggestions:#[-/]*})
          compadd -a suggestions || _files
        }
        compdef _ollamamax ollamamax
        """;

    private const string PowerShell = """
        # ollamamax completion powershell | Out-String | Invoke-Expression, in $PROFILE
        Register-ArgumentCompleter -Native -CommandName ollamamax -ScriptBlock {
          param($word, $ast, $cursor)
          # Options only to who begins one: what is no option may be a file.
          ollamamax "[suggest:$cursor]" "$ast" | Where-Object { $_.StartsWith($word) -and ($word.StartsWith('-') -or $_ -notmatch '^[-/]') } | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
        }
        """;

    private static readonly Argument<string> Shell = new("shell") { Description = "bash, zsh or powershell" };

    public static Command Create(RootCommands.Runner run)
    {
        Shell.AcceptOnlyFromAmong("bash", "zsh", "powershell");
        Command command = new("completion", "Prints what makes a shell complete this tool's commands") { Shell };
        run.Set(command, (parsed, _, screen, _) =>
        {
            screen.Line(parsed.GetRequiredValue(Shell) switch
            {
                "bash" => Bash,
                "zsh" => Zsh,
                _ => PowerShell,
            });
            return Task.CompletedTask;
        });
        return command;
    }
}
