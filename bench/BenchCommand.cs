using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using OllamaMax.Bench.Auth;
using OllamaMax.Bench.Dispatch;
using OllamaMax.Bench.Engine;
using OllamaMax.Bench.Failover;
using OllamaMax.Bench.Hub;
using OllamaMax.Bench.Placement;
using OllamaMax.Bench.Replication;
using OllamaMax.Bench.Reporting;
using OllamaMax.Bench.Translation;
using OllamaMax.Inference.Packages;

namespace OllamaMax.Bench;

/// <summary>The command line: one command for each bench.</summary>
internal static class BenchCommand
{
    private const string Engine = "engine";

    private static readonly Option<bool> Quick = new("--quick")
    {
        Description = "A few seconds on tiny inputs, to see that the bench works; its figures mean nothing",
        Recursive = true,
    };

    private static readonly Option<string?> Only = new("--only")
    {
        Description = "Measure one section: first-token, ways or rate of dispatch; throughput, kept, drafts, mixed or prefix of engine; kills of failover; fan-out of hub; copy or policy of replication; simulation, choice or flood of placement; answers or count of translation",
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

    private static readonly Option<bool> Gpu = new("--gpu")
    {
        Description = "Measure the engine on the GPU that llama.cpp finds, all layers on it; its results are engine-gpu",
        Recursive = true,
    };

    private static readonly Option<bool> Large = new("--large")
    {
        Description = "With --gpu: a model of 7 billion weights (4 GB of disk, 80 GB of GPU memory) in place of 0.4; its results are engine-gpu-large",
        Recursive = true,
        Validators = { result => CheckLarge(result) },
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
        Gpu,
        Large,
        Results,
        Bench("dispatch", "What the way through edge, SignalR and worker costs", DispatchBench.RunAsync),
        Bench(Engine, "What the engine makes of a model, against node-llama-cpp over the same libraries", EngineBench.RunAsync),
        Bench("placement", "Where jobs are placed, by the real classes in virtual time, and what placing one costs", PlacementBench.RunAsync),
        Bench("auth", "What a key and limits add to a request", AuthBench.RunAsync),
        Bench("failover", "What a client notices when the worker that answers it is killed", FailoverBench.RunAsync),
        Bench("replication", "Copies of models to workers, against a plain download of the same bytes, and how soon a policy is fulfilled", ReplicationBench.RunAsync),
        Bench("hub", "What an orchestration costs on the local task hub", HubBench.RunAsync),
        Bench("translation", "What the three APIs' translators take of the edge, and how fast tokens are counted", TranslationBench.RunAsync),
    };

    private static Command Bench(string name, string description, Func<BenchOptions, BenchResult, CancellationToken, Task> run)
    {
        Command command = new(name, description);
        if (name != Engine)
            command.Validators.Add(CheckGpu);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            BenchOptions options = Options(name, parsed);
            // A box with a GPU has the libraries of that GPU, and need not have Node.js.
            if (!options.Gpu)
                await NodePackages.EnsureInstalledAsync(RepositoryRoot.Find(), options.Report, cancellationToken);
            BenchResult result = await BenchResult.BeginAsync($"{name}{(options.Gpu ? "-gpu" : "")}{(options.Large ? "-large" : "")}", options.Command, TimeProvider.System, cancellationToken);
            try
            {
                await run(options, result, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // What was measured by then is shown, and kept nowhere.
                result.End();
                Console.Write(Markdown.Write(result));
                return 130;
            }
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

    /// <summary>The others would measure the same as without it, under a name that says otherwise.</summary>
    private static void CheckGpu(CommandResult result)
    {
        if (result.GetValue(Gpu))
            result.AddError($"--gpu is for {Engine} alone");
    }

    private static void CheckLarge(OptionResult result)
    {
        if (result.GetValueOrDefault<bool>() && !result.GetValue(Gpu))
            result.AddError("--large is for --gpu: a processor would take hours");
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
        bool gpu = parsed.GetValue(Gpu);
        bool large = parsed.GetValue(Large);
        int? repeats = parsed.GetValue(Repeats);
        double? minutes = parsed.GetValue(Minutes);
        string results = parsed.GetRequiredValue(Results);
        return new()
        {
            Quick = quick,
            Only = only,
            Gpu = gpu,
            Large = large,
            Repeats = repeats,
            Longest = minutes is { } most ? TimeSpan.FromMinutes(most) : TimeSpan.MaxValue,
            Results = results.Length > 0 || quick || only is not null ? results : Path.Combine(RepositoryRoot.Find(), "bench", "results"),
            Command = $"dotnet run -c Release --project bench -- {name}" +
                $"{(quick ? " --quick" : "")}{(gpu ? " --gpu" : "")}{(large ? " --large" : "")}{(only is null ? "" : $" --only {only}")}{(repeats is null ? "" : $" --repeats {repeats}")}" +
                (minutes is { } limit ? string.Create(CultureInfo.InvariantCulture, $" --minutes {limit}") : ""),
            Report = Console.Error.WriteLine,
        };
    }
}
