using System.ComponentModel.DataAnnotations;
using System.Net;
using OllamaMax.Edge.Aliases;
using OllamaMax.GpuWorker;
using OllamaMax.GpuWorker.Forwarding;
using OllamaMax.LocalHost.SignalR;
using OllamaMax.Models.Gguf;

namespace OllamaMax.LocalHost;

/// <summary>What the command line asks for.</summary>
internal sealed record LocalHostOptions
{
    public const int DefaultPort = 11434;
    public const int MostWorkers = 64;
    public const int MostEdges = 16;

    /// <summary>Port of the edge on the loopback; 0 lets the system choose.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>Where the edge listens; elsewhere than on the loopback only with <see cref="RequireKeys"/>.</summary>
    public IPAddress Listen { get; init; } = IPAddress.Loopback;

    /// <summary>Callers on this machine need a key too.</summary>
    public bool RequireKeys { get; init; }

    /// <summary>A certificate with its key (<see cref="ServerCertificate"/>): the edge speaks https; null: http.</summary>
    public string? Certificate { get; init; }

    /// <summary>Speak https with a certificate of this data folder's own authority (<see cref="LocalAuthority"/>); in the place of <see cref="Certificate"/>.</summary>
    public bool Https { get; init; }

    /// <summary>Prompts and answers are encrypted between edge and workers, and where they lie.</summary>
    public bool EncryptPayloads { get; init; }

    /// <summary>The data folder's own key for what lies in storage, <c>id:key</c>, behind those that are configured; null: it has none yet.</summary>
    public string? ContentKey { get; init; }

    /// <summary>With <see cref="Certificate"/>: port on the loopback for what this machine itself starts, where http is spoken; 0 lets the system choose.</summary>
    public int OwnPort { get; init; }

    /// <summary>Folder of all state.</summary>
    public required string Data { get; init; }

    /// <summary>How many edges, 1 to 16: one is a part of this process, several are processes of their own, on ports that follow one another.</summary>
    public int Edges { get; init; } = 1;

    /// <summary>How many worker processes, 0 to 64.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>A GGUF to publish (<see cref="GgufFiles"/>: a file, a part of a split one, a folder), or the name of a model that is there already.</summary>
    public string? Model { get; init; }

    /// <summary>Most tokens of context that the workers give a request; null: their default.</summary>
    public int? Context { get; init; }

    /// <summary>Disk for all copies of models, as people write it; null: none is deleted for another.</summary>
    public string? DiskBudget { get; init; }

    /// <summary>Only what stands beside a Functions host: Azurite, the SignalR surface, workers.</summary>
    public bool Services { get; init; }

    /// <summary>Where the workers of <see cref="Services"/> enrol.</summary>
    public required Uri EdgeUrl { get; init; }

    /// <summary>Faults that the SignalR surface shall show; null for none.</summary>
    public string? SignalRFaults { get; init; }

    /// <summary>Workers compute so that answers do not depend on each other, bit for bit.</summary>
    public bool Exact { get; init; }

    /// <summary>Servers whose models the workers offer as well; passed on to them as they are.</summary>
    public IReadOnlyList<string> Forward { get; init; } = [];

    /// <summary>Names that stand for other models, each <c>alias=model,model</c>; they go over those of the configuration.</summary>
    public IReadOnlyList<string> Alias { get; init; } = [];

    /// <summary>End when standard input ends: the life line of whoever started this.</summary>
    public bool StdinLifeline { get; init; }

    /// <summary>Everything that is wrong, one line each.</summary>
    public IEnumerable<string> Errors()
    {
        if (Port is < 0 or > IPEndPoint.MaxPort)
            yield return $"--port is {Port}; it must be 0 (any free one) to {IPEndPoint.MaxPort}";
        if (Edges is < 1 or > MostEdges)
            yield return $"--edges is {Edges}; it must be 1 to {MostEdges}";
        else if (Edges > 1 && Port + Edges - 1 > IPEndPoint.MaxPort)
            yield return $"--port is {Port}: {Edges} edges would need ports beyond {IPEndPoint.MaxPort}";
        if (Edges > 1 && Services)
            yield return "--edges starts edges, and --services none";
        if (Workers is < 0 or > MostWorkers)
            yield return $"--workers is {Workers}; it must be 0 to {MostWorkers}";
        if (Context is < 64 or > 1_048_576)
            yield return $"--context is {Context}; it must be 64 to 1048576";
        if (DiskBudget is { } budget && ByteSize.FindError(budget, "--disk-budget") is { } noSize)
            yield return noSize;
        if (!IPAddress.IsLoopback(Listen) && !RequireKeys)
            yield return $"--listen {Listen} lets others in: it needs --require-keys";
        if (Certificate is { } certificate && ServerCertificate.FindError(certificate) is { } unusable)
            yield return $"--certificate {certificate} cannot be used: {unusable}";
        if (Https && Certificate is not null)
            yield return "--https makes a certificate, and --certificate brings one: give one of them";
        if (Https && Services)
            yield return "--https is for an edge, and --services starts none";
        if (FaultError() is { } faults)
            yield return $"--signalr-faults: {faults}";
        foreach (string forward in Forward)
        {
            if (ForwardError(forward) is { } error)
                yield return error;
        }
        AliasOptions aliases = new();
        aliases.Add(string.Join(';', Alias));
        foreach (ValidationResult wrong in aliases.Validate(new(aliases)))
            yield return $"--alias: {wrong.ErrorMessage}";
        if (ModelFile is { } file && UnreadableBecause(file) is { } reason)
            yield return $"the model {file} cannot be used: {reason}";
    }

    /// <summary>The file or folder that <see cref="Model"/> means, if it means one: a name has no path separator and no ending .gguf.</summary>
    public string? ModelFile => Model is { } model && (File.Exists(model) || LooksLikePath(model)) ? Path.GetFullPath(model) : null;

    /// <summary>Of the edges in their order; 0 each where the system is to choose.</summary>
    public IEnumerable<int> EdgePorts => Enumerable.Range(Port, Edges).Select(port => Port == 0 ? 0 : port);

    private string? FaultError()
    {
        try
        {
            SignalRFaultOptions.Parse(SignalRFaults ?? "");
            return null;
        }
        catch (FormatException e)
        {
            return e.Message;
        }
    }

    private static string? ForwardError(string forward)
    {
        try
        {
            ForwardTarget.Parse(forward);
            return null;
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }
    }

    private static bool LooksLikePath(string model) =>
        model.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) || Path.IsPathRooted(model) || model.StartsWith('.') || model.StartsWith('~');

    private static string? UnreadableBecause(string file)
    {
        try
        {
            using FileStream stream = File.OpenRead(GgufFiles.Find(file)[0]);
            Span<byte> magic = stackalloc byte[4];
            return stream.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) == magic.Length && magic.SequenceEqual("GGUF"u8)
                ? null
                : "it is no GGUF file";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or GgufFormatException)
        {
            return e.Message;
        }
    }
}
