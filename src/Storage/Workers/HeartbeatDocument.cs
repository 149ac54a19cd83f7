using System.Text.Json;
using OllamaMax.Cluster;
using OllamaMax.Models;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.Storage.Workers;

/// <summary>
/// A heartbeat as its blob has it. What each listing of the heartbeats is to tell is in the metadata; what they have no room for is in the content, which edges read when it has
/// changed. So all copies stand there, where they are many, and not only those that the metadata lack: these are others with each figure that becomes longer.
/// </summary>
/// <param name="Report">The metadata's entry: JSON whose every character is ASCII.</param>
/// <param name="Content">Empty where the metadata say all.</param>
public sealed record HeartbeatDocument(string Report, byte[] Content)
{
    /// <summary>Metadata hold 8 KB in all, names included; a model takes from 100 to 250 bytes.</summary>
    private const int MostCharacters = 7900;

    /// <param name="report">With all that the worker holds.</param>
    /// <param name="forwarded">Models of servers that it forwards to.</param>
    public static HeartbeatDocument Of(WorkerReport report, IReadOnlyList<ForwardedModel> forwarded)
    {
        // An edge of an older version knows of those alone that the metadata have: the ones that it must know of come first.
        HeldModel[] models =
        [
            .. report.Models.OrderByDescending(model => model.IsInMemory).ThenByDescending(model => model.Warm == true || model.Pinned == true).Take(ReportBounds.MostModels),
        ];
        HeartbeatDocument whole = Of(report with { Models = models }, new HeartbeatContent(forwarded));
        if (whole.Report.Length <= MostCharacters)
            return whole;
        int fitting = FittingOf(report, models);
        return Of(report with { Models = models[..fitting] }, new HeartbeatContent(forwarded)
        {
            Copies = [.. models.Select((model, index) => index < fitting ? Lasting(model) : model).OrderBy(model => model.Digest, StringComparer.Ordinal)],
        });
    }

    private static HeartbeatDocument Of(WorkerReport report, HeartbeatContent content)
    {
        byte[] bytes = content is { Models.Count: 0, Copies: null } ? [] : JsonSerializer.SerializeToUtf8Bytes(content, ProtocolJson.Default.HeartbeatContent);
        return new(Write(report with { Content = bytes.Length > 0 ? ModelDigest.Of(bytes) : null }), bytes);
    }

    /// <summary>How many of the models the metadata have room for.</summary>
    private static int FittingOf(WorkerReport report, HeldModel[] models)
    {
        int room = MostCharacters - Write(report with { Models = [], Content = ModelDigest.Of([]) }).Length;
        return models.TakeWhile(model => (room -= JsonSerializer.Serialize(model, ProtocolJson.Default.HeldModel).Length + 1) >= 0).Count();
    }

    /// <summary>What does not change by its coming into memory, being used there, and leaving.</summary>
    private static HeldModel Lasting(HeldModel model) => new(model.Digest, Loaded: false) { Pinned = model.Pinned, Warm = model.Warm };

    private static string Write(WorkerReport report) => JsonSerializer.Serialize(report, ProtocolJson.Default.WorkerReport);
}
