using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OllamaMax.Cluster;
using OllamaMax.Models;
using OllamaMax.Replication;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.Storage.Workers;

/// <summary>
/// A heartbeat as its blob has it. What each listing of the heartbeats is to tell is in the metadata; what they have no room for is in the content, which edges read when it has
/// changed. So all copies stand there, where they are many, and not only those that the metadata lack: these are others with each figure that becomes longer.
/// </summary>
/// <param name="Report">The metadata's entry: JSON whose every character is ASCII.</param>
/// <param name="Content">Empty where the metadata say all.</param>
/// <param name="DevicesLeftOut">So many of the report's devices are in neither.</param>
public sealed record HeartbeatDocument(string Report, byte[] Content, int DevicesLeftOut = 0)
{
    /// <summary>Azure refuses metadata of more than 8 KB in all, names included; a model takes from 100 to 250 bytes. Names and labels, within their bounds, come to 5000 at most.</summary>
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
        return whole.Report.Length <= MostCharacters ? whole : Cut(report with { Models = models }, new HeartbeatContent(forwarded));
    }

    /// <summary>What there is room for, the most important first; what is left of models and transfers is in the content.</summary>
    private static HeartbeatDocument Cut(WorkerReport report, HeartbeatContent content)
    {
        // What is on its way must not be deleted where it comes from; what was cancelled is not to be ordered again.
        ReplicaTransfer[] transfers = [.. (report.Transfers ?? []).OrderByDescending(transfer => transfer.Error is null).ThenByDescending(transfer => transfer.Cancelled == true)];
        int room = MostCharacters - Write(report with { Models = [], Devices = [], Transfers = [], Content = ModelDigest.Of([]) }).Length;
        int devices = Fitting(report.Devices, ProtocolJson.Default.WorkerDevice, ref room);
        int models = Fitting(report.Models.TakeWhile(model => model.IsInMemory), ProtocolJson.Default.HeldModel, ref room);
        int told = Fitting(transfers, ProtocolJson.Default.ReplicaTransfer, ref room);
        models += Fitting(report.Models.Skip(models), ProtocolJson.Default.HeldModel, ref room);
        HeartbeatDocument document = Of(
            report with { Devices = [.. report.Devices.Take(devices)], Models = [.. report.Models.Take(models)], Transfers = told == 0 ? null : transfers[..told] },
            content with
            {
                Copies = models == report.Models.Count
                    ? null
                    : [.. report.Models.Select((model, index) => index < models ? Lasting(model) : model).OrderBy(model => model.Digest, StringComparer.Ordinal)],
                Transfers = told == transfers.Length ? null : [.. transfers[told..].Select(Lasting)],
            });
        return document with { DevicesLeftOut = report.Devices.Count - devices };
    }

    private static HeartbeatDocument Of(WorkerReport report, HeartbeatContent content)
    {
        byte[] bytes = content is { Models.Count: 0, Copies: null, Transfers: null } ? [] : JsonSerializer.SerializeToUtf8Bytes(content, ProtocolJson.Default.HeartbeatContent);
        return new(Write(report with { Content = bytes.Length > 0 ? ModelDigest.Of(bytes) : null }), bytes);
    }

    /// <summary>How many, from the first on, there is room for.</summary>
    private static int Fitting<T>(IEnumerable<T> all, JsonTypeInfo<T> type, ref int room)
    {
        int count = 0;
        foreach (int length in all.Select(one => JsonSerializer.Serialize(one, type).Length + 1))
        {
            if (length > room)
                break;
            room -= length;
            count++;
        }
        return count;
    }

    /// <summary>What does not change by its coming into memory, being used there, and leaving.</summary>
    private static HeldModel Lasting(HeldModel model) => new(model.Digest, Loaded: false) { Pinned = model.Pinned, Warm = model.Warm };

    /// <summary>What does not change while it is on its way.</summary>
    private static ReplicaTransfer Lasting(ReplicaTransfer transfer) => transfer with { Completed = 0, Total = 0, BytesPerSecond = 0 };

    private static string Write(WorkerReport report) => JsonSerializer.Serialize(report, ProtocolJson.Default.WorkerReport);
}
