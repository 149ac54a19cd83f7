using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.TestKit;

public static class WorkerReports
{
    /// <summary>Of a worker with four free slots that has no model yet and reports every 10 s.</summary>
    public static WorkerReport Idle(string id = "w1") => new()
    {
        Version = ProtocolVersion.Current,
        Id = id,
        Name = id,
        Host = "box",
        Pid = 1,
        Program = "1.0",
        Draining = false,
        SlotsUsed = 0,
        SlotsTotal = 4,
        IntervalSeconds = 10,
        Models = [],
        Devices = [],
    };
}
