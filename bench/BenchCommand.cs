using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using OllamaMax.Bench.Dispatch;
using OllamaMax.Bench.Engine;
using OllamaMax.Bench.Failover;
using OllamaMax.Bench.Placement;
using OllamaMax.Bench.Reporting;
using OllamaMax.Inference.Packages;

namespace OllamaMax.Bench;

/// <summary>The command line: one command for each bench.</summary>
internal static class BenchCommand
{
    private static readonly Option<bool> Quick = new("--quick")
    {
        Description = "A few seconds on tiny inputs, to see that the bench works; its figures mean nothing",
        Recursive = true,
    };

    private static readonly Option<string?> Only = new("--only")
    {
        Description = "Measure one section: first-token, ways or rate of dispatch; throughput, mixed or prefix of engine; simulation, choice or flood of placement; kills of failover",
        Recursive = true,
    };

    private static readonly Option<int?> Repeats = new("--repeats")
    {
        Description = "How often rates and the engine's figures are taken, or workers killed, 1 to 1000",
        Recursive = true,
        Validators = { result => CheckRepeats(result) },
    };

    private static readonly Option<double?> Minutes = new("--minutes")
    {
        Description = "Kill no more workers after so long; what was measured by then is the result",
        Recursive = true,
    };

    private static readonly Option<string> Results = new("--results")
    {
        Description = "Folder that the result files go to; bench/results of the checkout by default, nowhere with --quick or --only",
        DefaultValueFactory = _ => "",
        Recursive = true,
    };

    public static RootCommand Create() => new("Measures OllamaMax against its peers and limits, in one run each")
    {
        Quick,
        Only,
        Repeats,
        Minutes,
        Results,
        Bench("dispatch", "What the way through edge, SignalR and worker costs", DispatchBench.RunAsync),
        Bench("engine", "What the engine makes of a model, against node-llama-cpp over the same libraries", EngineBench.RunAsync),
        Bench("placement", "Where jobs are placed, by the real classes in virtual time, and what placing one costs", PlacementBench.RunAsync),
        Bench("failover", "What a client notices when the worker that answers it is killed", FailoverBench.RunAsync),
    };

    private static Command Bench(string name, string description, Func<BenchOptions, BenchResult, CancellationToken, Task> run)
    {
        Command command = new(name, description);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            BenchOptions options = Options(name, parsed);
            await NodePackages.EnsureInstalledAsync(RepositoryRoot.Find(), options.Report, cancellationToken);
            BenchResult result = await BenchResult.BeginAsync(name, options.Command, TimeProvider.System, cancellationToken);
            await run(options, result, cancellationToken);
            result.End();
            if (result.Tables.Count == 0)
                throw new ArgumentException($"{name} has no section {options.Only}.");
            Console.Write(Markdown.Write(result));
            if (options.Results.Length > 0)
                await ResultFiles.WriteAsync(result, options.Results, cancellationToken);
            return 0;
        });
        return command;
    }

    private static void CheckRepeats(OptionResult result)
    {
        if (result.GetValueOrDefault<int?>() is < 1 or > 1000)
            result.AddError("--repeats must be 1 to 1000");
    }

    private static BenchOptions Options(string name, ParseResult parsed)
    {
        bool quick = parsed.GetValue(Quick);
        string? only = parsed.GetValue(Only);
        int? repeats = parsed.GetValue(Repeats);
        double? minutes = parsed.GetValue(Minutes);
        string results = parsed.GetRequiredValue(Results);
        return new()
        {
            Quick = quick,
            Only = only,
            Repeats = repeats,
            Longest = minutes is { } most ? TimeSpan.FromMinutes(most) : TimeSpan.MaxValue,
            Results = results.Length > 0 || quick || only is not null ? results : Path.Combine(RepositoryRoot.Find(), "bench", "results"),
            Command = $"dotnet run -c Release --project bench -- {name}" +
                $"{(quick ? " --quick" : "")}{(only is null ? "" : $" --only {only}")}{(repeats is null ? "" : $" --repeats {repeats}")}" +
                (minutes is { } limit ? string.Create(CultureInfo.InvariantCulture, $" --minutes {limit}") : ""),
            Report = Console.Error.WriteLine,
        };
    }
}
