using System.CommandLine;
using System.Net;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.ServiceProcess;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Diagnostics;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.GpuWorker.Forwarding;
using OllamaMax.GpuWorker.Health;
using OllamaMax.GpuWorker.Models;
using OllamaMax.GpuWorker.Processes;
using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Packages;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker;

/// <summary>The worker's command line.</summary>
internal static partial class WorkerCommand
{
    /// <summary>The exit code where the edge refuses, or another process is this worker: trying again is no use.</summary>
    public const int NotLetIn = 2;

    internal static readonly Option<string> Edge = new("--edge") { Description = "URL of the edge", Required = true };
    internal static readonly Option<string?> Authority = new("--ca") { Description = "PEM file of an authority that this box's system does not know and that may have signed the edge's certificate" };
    internal static readonly Option<string?> JoinToken = new("--join-token") { Description = $"Single-use join token; also in {WorkerOptions.JoinTokenVariable}" };
    internal static readonly Option<string> Data = new("--data")
    {
        Description = "Folder of this worker's identity and replicas",
        DefaultValueFactory = _ => Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".ollamamax", "worker"),
    };

    private static readonly Option<string?> Replicas = new("--replicas") { Description = "Folder of the model replicas, if not in --data" };
    private static readonly Option<string?> DiskBudget = new("--disk-budget")
    {
        Description = "Disk for the replicas, such as 200G: beyond it the one unused for longest is deleted; without it nothing is, and the disk's end is the limit",
    };

    internal static readonly Option<string> Name = new("--name") { Description = "Name shown to people", DefaultValueFactory = _ => Dns.GetHostName() };
    private static readonly Option<string?> Site = new("--site") { Description = "Where the box stands; models and tenants can be kept to it" };
    private static readonly Option<string[]> Label = new("--label")
    {
        Description = "key=value, such as gpu=a100: models and tenants can be kept to boxes that have it. Repeatable",
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<int?> Slots = new("--slots")
    {
        Description = $"Requests of a model decoded at once; without it as many as memory has room for, up to {EngineOptions.MostSlots}",
    };

    private static readonly Option<CacheType> Cache = new("--cache-type") { Description = "How past tokens are kept", DefaultValueFactory = _ => CacheType.F16 };
    private static readonly Option<FlashAttention> Flash = new("--flash-attention") { Description = "Attention in one pass", DefaultValueFactory = _ => FlashAttention.Auto };
    private static readonly Option<int?> Layers = new("--gpu-layers") { Description = "Layers in GPU memory, -1: all; without it as many as have room" };
    private static readonly Option<int> Threads = new("--threads") { Description = "Threads of the decoder; 0: half of the machine's" };
    private static readonly Option<int> Context = new("--context") { Description = "Most tokens of context for a request", DefaultValueFactory = _ => 4096 };
    private static readonly Option<bool> Exact = new("--exact")
    {
        Description = "Slower arithmetic that, with F32 weights on a CPU, does not depend on other requests, so that a continued answer equals an undisturbed one",
    };

    private static readonly Option<int> Models = new("--models") { Description = "Models in memory at once", DefaultValueFactory = _ => 3 };
    private static readonly Option<string?> Memory = new("--memory")
    {
        Description = "Memory for models, such as 24G or 800M (binary) or a number of bytes; without it most of what the machine has",
    };

    private static readonly Option<int> KeptPrompts = new("--kept-prompts")
    {
        Description = "Finished prompts of each model that stay for the next one that begins alike; 0: no prompt is used for another",
        DefaultValueFactory = _ => new EngineOptions().CachedPrompts,
    };

    private static readonly Option<string?> PromptCache = new("--prompt-cache")
    {
        Description = "Most memory of each model on a CPU for prompts that may come again, such as 4G, or 0 for none; without it all share a sixteenth of the machine's",
    };

    private static readonly Option<int> DraftTokens = new("--draft-tokens")
    {
        Description = "Most tokens of an answer that are guessed ahead in a step; 0: none",
        DefaultValueFactory = _ => new EngineOptions().DraftTokens,
    };

    private static readonly Option<double> KeepAlive = new("--keep-alive-seconds")
    {
        Description = "How long a model stays unused where requests do not say; -1: for good",
        DefaultValueFactory = _ => 300,
    };

    private static readonly Option<bool> InProcess = new("--in-process")
    {
        Description = "Models in the worker's own process: a crash of the native library ends the worker",
    };

    private static readonly Option<string[]> Forward = new("--forward")
    {
        Description = $"Offer the models of a server on this box: kind=url, or kind:VARIABLE=url where a variable has its key; kinds: {ServerKinds.Names}. Repeatable",
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<int> ForwardSlots = new("--forward-slots")
    {
        Description = "Requests that each such server is given at once",
        DefaultValueFactory = _ => 4,
    };

    private static readonly Option<double> Hang = new("--hang-seconds")
    {
        Description = "A model whose decoder makes no step for this long while it has requests hangs, and its process is killed",
        DefaultValueFactory = _ => 30,
    };

    private static readonly Option<double> Drain = new("--drain-seconds")
    {
        Description = "On SIGTERM: time for running requests to finish before they are handed to another worker",
        DefaultValueFactory = _ => 20,
    };

    private static readonly Option<double> RefusedWait = new("--refused-wait")
    {
        Description = "Where the edge refuses this worker, or another process works under its identity: seconds before it ends, so that who starts it again does not ask all the time",
        DefaultValueFactory = _ => 0,
    };

    private static readonly Option<bool> Check = new("--check") { Description = "Say whether these options and the folder of replicas can be used, and end: 0 or 1" };
    private static readonly Option<bool> Lifeline = new("--stdin-lifeline") { Description = "End when standard input ends: the parent is gone" };
    private static readonly Option<bool> Service = new("--windows-service") { Description = "Be a service of Windows: its manager's stop drains, and lines go to the event log" };

    public static RootCommand Create()
    {
        var run = new Command("run", "Join a cluster and serve its models");
        Option[] options =
        [
            Edge, Authority, JoinToken, Data, Replicas, DiskBudget, Name, Site, Label, Slots, Threads, Context, Exact, Cache, Flash, Layers, Models, Memory, KeptPrompts, PromptCache, DraftTokens, KeepAlive, InProcess, Forward,
            ForwardSlots, Hang, Drain, RefusedWait, Check, Lifeline, Service,
        ];
        foreach (Option option in options)
            run.Add(option);
        run.SetAction((result, cancellationToken) => RunAsync(result));
        return new RootCommand("OllamaMax worker: runs models on this box for a cluster it dials out to") 
        {
            run, JoinCommand.Create(), EngineCommand.Create(), EngineCommand.CreateDevices(),
        };
    }

    /// <summary>A published worker brings them along; a checkout's get theirs from npm.</summary>
    private static bool HasItsLibraries =>
#if FULL
        true;
#else
        Directory.Exists(Path.Combine(AppContext.BaseDirectory, "node_modules", "@node-llama-cpp"))
        || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OLLAMAMAX_LLAMA_DIR"));
#endif

    private static async Task<int> RunAsync(ParseResult result)
    {
        WorkerOptions options;
        try
        {
            options = Read(result);
            if (result.GetValue(Check))
            {
                new ReplicaFolder(Options.Create(options), TimeProvider.System).ThrowIfUnusable();
                return 0;
            }
            if (!HasItsLibraries)
                await NodePackages.EnsureInstalledAsync(RepositoryRoot.Find(), Console.Error.WriteLine, CancellationToken.None);
        }
        catch (Exception e) when (e is ArgumentException or PrerequisiteException or ReplicaException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
        if (result.GetValue(Service) && OperatingSystem.IsWindows())
            return RunAsService(options);
        return await RunAsync(options, result.GetValue(Lifeline));
    }

    [SupportedOSPlatform("windows")]
    private static int RunAsService(WorkerOptions options)
    {
        using WindowsService service = new(drain => ServeAsync(options, PlainLogging.ConfigureEventLog, drain), options.DrainTimeout);
        ServiceBase.Run(service);
        return service.ExitCode;
    }

    private static async Task<int> RunAsync(WorkerOptions options, bool lifeline)
    {
        using var drain = new CancellationTokenSource();
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Drain);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Drain);
        if (lifeline)
            EndWithStandardInput(drain);

        return await ServeAsync(options, PlainLogging.Configure, drain.Token);

        void Drain(PosixSignalContext signal)
        {
            signal.Cancel = true;
            drain.Cancel();
        }
    }

    private static async Task<int> ServeAsync(WorkerOptions options, Action<ILoggingBuilder> logging, CancellationToken drain)
    {
        await using ServiceProvider services = new ServiceCollection()
            .AddLogging(logging)
            .AddTelemetry("ollamamax-worker").Services
            .AddWorker(options)
            .BuildServiceProvider();
        services.StartTelemetry();
        try
        {
            await services.RunWorkerAsync(drain);
            return 0;
        }
        catch (OperationCanceledException) when (drain.IsCancellationRequested)
        {
            return 0;
        }
        catch (EnrolmentException e)
        {
            LogNotLetIn(Logger(), options.Edge, e.Message);
            return await RefusedAsync();
        }
        catch (IdentityTakenException e)
        {
            LogTaken(Logger(), e.Message);
            return await RefusedAsync();
        }
        catch (Exception e) when (e is IdentityException or ReplicaException)
        {
            LogNotStarted(Logger(), e.Message);
            return 1;
        }
        catch (Exception e)
        {
            LogFailed(Logger(), e, e.Message);
            return 1;
        }

        async Task<int> RefusedAsync()
        {
            await Task.Delay(options.RefusedWait, services.GetRequiredService<TimeProvider>(), drain).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return NotLetIn;
        }

        ILogger Logger() => services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(WorkerCommand));
    }

    /// <summary>What every command that meets the edge is told.</summary>
    /// <exception cref="ArgumentException">The edge is no URL.</exception>
    internal static WorkerOptions ReadIdentity(ParseResult result) => new()
    {
        Edge = WithSlash(result.GetRequiredValue(Edge)),
        Authority = result.GetValue(Authority),
        JoinToken = result.GetValue(JoinToken) ?? Environment.GetEnvironmentVariable(WorkerOptions.JoinTokenVariable),
        Data = result.GetRequiredValue(Data),
        Name = result.GetRequiredValue(Name),
    };

    /// <exception cref="ArgumentException">Something is out of range.</exception>
    internal static WorkerOptions Read(ParseResult result)
    {
        WorkerOptions options = ReadIdentity(result) with
        {
            Replicas = result.GetValue(Replicas),
            DiskBudget = result.GetValue(DiskBudget) is { } disk ? ByteSize.Parse(disk, "--disk-budget") : null,
            Site = result.GetValue(Site),
            Labels = ReadLabels(result.GetRequiredValue(Label)),
            Slots = result.GetValue(Slots),
            Threads = result.GetValue(Threads),
            ContextLength = result.GetValue(Context),
            Exact = result.GetValue(Exact),
            CacheType = result.GetValue(Cache),
            FlashAttention = result.GetValue(Flash),
            GpuLayers = result.GetValue(Layers),
            LoadedModels = result.GetValue(Models),
            Memory = result.GetValue(Memory) is { } memory ? ByteSize.Parse(memory, "--memory") : null,
            KeptPrompts = result.GetValue(KeptPrompts),
            PromptCache = result.GetValue(PromptCache) is { } prefixes ? ByteSize.Parse(prefixes, "--prompt-cache", least: 0) : null,
            DraftTokens = result.GetValue(DraftTokens),
            KeepAlive = TimeSpan.FromSeconds(result.GetValue(KeepAlive)),
            InProcess = result.GetValue(InProcess),
            Forward = [.. result.GetRequiredValue(Forward).Select(ForwardTarget.Parse)],
            ForwardSlots = result.GetValue(ForwardSlots),
            HangTimeout = TimeSpan.FromSeconds(result.GetValue(Hang)),
            DrainTimeout = TimeSpan.FromSeconds(result.GetValue(Drain)),
            RefusedWait = TimeSpan.FromSeconds(result.GetValue(RefusedWait)),
        };
        options.Validate();
        return result.GetValue(Service) && !OperatingSystem.IsWindows() ? throw new ArgumentException("--windows-service is for Windows") : options;
    }

    private static Dictionary<string, string> ReadLabels(string[] texts)
    {
        Dictionary<string, string> labels = new(StringComparer.OrdinalIgnoreCase);
        foreach (string text in texts)
        {
            if (!WorkerLabels.TryParse(text, out KeyValuePair<string, string> label, out string? error))
                throw new ArgumentException($"--label: {error}");
            if (!labels.TryAdd(label.Key, label.Value))
                throw new ArgumentException($"--label: '{label.Key}' is given twice");
        }
        return labels;
    }

    private static Uri WithSlash(string edge) =>
        Uri.TryCreate(edge.TrimEnd('/') + "/", UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https"
            ? url
            : throw new ArgumentException($"--edge {edge} is no http(s) URL");

    /// <summary>
    /// A parent that is killed cannot say goodbye, but its end of the pipe closes. A thread of its own, so that nothing can hold it up,
    /// and a hard end should the drain hang.
    /// </summary>
    private static void EndWithStandardInput(CancellationTokenSource drain)
    {
        var thread = new Thread(() =>
        {
            using Stream input = Console.OpenStandardInput();
            Span<byte> buffer = stackalloc byte[64];
            while (input.Read(buffer) > 0)
            {
            }
            drain.Cancel();
            using var hung = new CancellationTokenSource(TimeSpan.FromSeconds(3));
            hung.Token.WaitHandle.WaitOne();
            Environment.Exit(3);
        })
        {
            IsBackground = true,
            Name = "lifeline",
        };
        thread.Start();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Edge} does not let this worker in: {Reason}")]
    private static partial void LogNotLetIn(ILogger logger, Uri edge, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The worker ends: {Reason}")]
    private static partial void LogTaken(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The worker cannot start: {Reason}")]
    private static partial void LogNotStarted(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "A part of this worker has failed, and so it ends: {Reason}")]
    private static partial void LogFailed(ILogger logger, Exception exception, string reason);
}
