namespace OllamaMax.Streaming;

/// <summary>
/// Version of what edges and workers say to each other. One version apart still works: fields are only ever added,
/// and a reader skips what it does not know. Further apart is refused at enrolment, with a word on what to upgrade.
/// </summary>
public static class ProtocolVersion
{
    public const int Current = 1;

    public static bool IsCompatible(int other) => Math.Abs(other - Current) <= 1;

    /// <summary>What to tell a worker of an incompatible version.</summary>
    public static string UpgradeMessage(int worker) => worker < Current
        ? $"the worker speaks protocol {worker}, this edge {Current}: upgrade the worker"
        : $"the worker speaks protocol {worker}, this edge {Current}: upgrade the edge";
}
