using System.CommandLine;
using System.Text.Json;
using OllamaMax.Cli.Doctor;
using Spectre.Console;

namespace OllamaMax.Cli.Commands;

/// <summary><c>doctor</c>: what is missing here, and how to mend it.</summary>
internal static class DoctorCommand
{
    public static Command Create(RootCommands.Runner run)
    {
        Command command = new("doctor", "Looks for what is missing, on this machine and at the edge, and says how to mend it");
        run.Set(command, async (parsed, edge, screen, cancellationToken) =>
        {
            List<Finding> findings = [];
            await foreach (Finding finding in ProgramCheck.FindAsync(cancellationToken))
                findings.Add(finding);
            findings.AddRange(await new EdgeCheck(edge, TimeProvider.System).FindAsync(cancellationToken));
            if (screen.IsJson)
                screen.Line(JsonSerializer.Serialize(new Findings(findings), FindingsJson.Default.Findings));
            else
                Print(screen, findings);
            return findings.Exists(finding => finding.Verdict == Verdict.Missing) ? ExitCode.Failed : ExitCode.Done;
        });
        return command;
    }

    private static void Print(Screen screen, List<Finding> findings)
    {
        foreach (Finding finding in findings)
        {
            (string mark, Color colour) = finding.Verdict switch
            {
                Verdict.Ok => ("ok", Color.Green),
                Verdict.Note => ("note", Color.Yellow),
                _ => ("MISSING", Color.Red),
            };
            screen.Result.Write(new Text($"{mark,-8}", new Style(colour)));
            screen.Result.WriteLine($"{finding.Subject}: {finding.Says}");
            if (finding.Mend is { } mend && finding.Verdict != Verdict.Ok)
                screen.Result.WriteLine($"        {mend}");
        }
    }
}
