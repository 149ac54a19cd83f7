using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using OllamaMax.LocalHost.Data;

namespace OllamaMax.LocalHost;

/// <summary>The command line.</summary>
internal static class LocalHostCommand
{
    private static readonly Option<int> Port = new("--port")
    {
        Description = "Port of the edge; 0 takes a free one",
        DefaultValueFactory = _ => LocalHostOptions.DefaultPort,
    };

    private static readonly Option<IPAddress> Listen = new("--listen")
    {
        Description = "Address that the edge listens on; another than the loopback's only with --require-keys",
        DefaultValueFactory = _ => IPAddress.Loopback,
        CustomParser = ReadAddress,
    };

    private static readonly Option<bool> RequireKeys = new("--require-keys")
    {
        Description = "Callers on this machine need a key too; the first start prints an admin's",
    };

    private static readonly Option<string?> Certificate = new("--certificate")
    {
        Description = "Speak https with the certificate and key in this file, PEM or PFX without password",
    };

    private static readonly Option<bool> Https = new("--https")
    {
        Description = "Speak https with a certificate that an authority of this data folder signs; its file for clients to trust is printed",
    };

    private static readonly Option<bool> EncryptPayloads = new("--encrypt-payloads")
    {
        Description = "Encrypt prompts and answers between edge and workers, and where they are stored",
    };

    private static readonly Option<int> Edges = new("--edges")
    {
        Description = $"Edges over one storage, 1 to {LocalHostOptions.MostEdges}: several are processes of their own, on ports from --port on",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<string> Data = new("--data")
    {
        Description = "Folder of all state",
        DefaultValueFactory = _ => DataFolder.Default,
    };

    private static readonly Option<int> Workers = new("--workers")
    {
        Description = $"Worker processes, 0 to {LocalHostOptions.MostWorkers}",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<string?> Model = new("--model")
    {
        Description = "A GGUF to publish under its file's name (of a split one any part, or the folder), or the name of a model that is there already",
    };

    private static readonly Option<int?> Context = new("--context")
    {
        Description = "Most tokens of context that the workers give a request; agents want 65536",
    };

    private static readonly Option<string?> DiskBudget = new("--disk-budget")
    {
        Description = "Disk for the workers' copies of models, such as 200G: beyond it the one unused for longest is deleted",
    };

    private static readonly Option<bool> Services = new("--services")
    {
        Description = "Only Azurite, the SignalR surface and workers, for a Functions host beside them (func start)",
    };

    private static readonly Option<Uri> EdgeUrl = new("--edge-url")
    {
        Description = "Where the workers of --services enrol",
        DefaultValueFactory = _ => new("http://localhost:7071"),
        // The library reads no URLs by itself.
        CustomParser = result => ReadUrl(result),
    };

    private static readonly Option<string?> SignalRFaults = new("--signalr-faults")
    {
        Description = "Faults that the SignalR surface shall show, for tests",
    };

    private static readonly Option<bool> Exact = new("--exact")
    {
        Description = "Workers use slower arithmetic that, with F32 weights on a CPU, does not depend on other requests",
    };

    private static readonly Option<string[]> Forward = new("--forward")
    {
        Description = "Offer the models of a server on this machine, such as ollama=http://localhost:11435 (docs/worker.md); repeatable",
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<string[]> Alias = new("--alias")
    {
        Description = "A name that stands for the first of some models that is there, such as gpt-4o-mini=qwen:7b,demo; repeatable",
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<bool> StdinLifeline = new("--stdin-lifeline")
    {
        Description = "End when standard input ends",
        Hidden = true,
    };

    /// <param name="run">Runs the local host to its end; its answer is the exit code.</param>
    public static RootCommand Create(Func<LocalHostOptions, Task<int>> run)
    {
        RootCommand command = new("OllamaMax on this machine: storage, edge, SignalR surface and workers in one command")
        {
            Port, Edges, Listen, RequireKeys, Certificate, Https, EncryptPayloads, Data, Workers, Model, Context, DiskBudget, Services, EdgeUrl, SignalRFaults, Exact, Forward, Alias, StdinLifeline,
        };
        command.SetAction((parsed, _) => run(Options(parsed)));
        command.Add(EdgeCommand.Create());
        return command;
    }

    private static Uri? ReadUrl(ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens.Single().Value, UriKind.Absolute, out Uri? url) && url.Scheme is ("http" or "https"))
            return url;
        result.AddError($"--edge-url {result.Tokens.Single().Value} is no http(s) URL");
        return null;
    }

    private static IPAddress? ReadAddress(ArgumentResult result)
    {
        if (IPAddress.TryParse(result.Tokens.Single().Value, out IPAddress? address))
            return address;
        result.AddError($"--listen {result.Tokens.Single().Value} is no address");
        return null;
    }

    private static LocalHostOptions Options(ParseResult parsed) => new()
    {
        Port = parsed.GetValue(Port),
        Listen = parsed.GetRequiredValue(Listen),
        RequireKeys = parsed.GetValue(RequireKeys),
        Certificate = parsed.GetValue(Certificate),
        Https = parsed.GetValue(Https),
        EncryptPayloads = parsed.GetValue(EncryptPayloads),
        Edges = parsed.GetValue(Edges),
        Data = parsed.GetRequiredValue(Data),
        Workers = parsed.GetValue(Workers),
        Model = parsed.GetValue(Model),
        Context = parsed.GetValue(Context),
        DiskBudget = parsed.GetValue(DiskBudget),
        Services = parsed.GetValue(Services),
        EdgeUrl = parsed.GetRequiredValue(EdgeUrl),
        SignalRFaults = parsed.GetValue(SignalRFaults),
        Exact = parsed.GetValue(Exact),
        Forward = parsed.GetRequiredValue(Forward),
        Alias = parsed.GetRequiredValue(Alias),
        StdinLifeline = parsed.GetValue(StdinLifeline),
    };
}
