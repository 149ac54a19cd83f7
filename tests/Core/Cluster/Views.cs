using OllamaMax.Cluster;
using OllamaMax.TestKit;
using OllamaMax.Workers;

namespace OllamaMax.Core.Tests.Cluster;

/// <summary>Workers as a listing shows them.</summary>
internal static class Views
{
    public static readonly DateTimeOffset Now = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Reports every 10 s: suspect after 25 s of silence, gone after 50 s.</summary>
    public static WorkerView Of(string id, TimeSpan age) => new(Report(id), age) { HeartbeatAt = Now - age };

    public static WorkerReport Report(string id) => WorkerReports.Idle(id) with { SlotsUsed = 1 };
}
