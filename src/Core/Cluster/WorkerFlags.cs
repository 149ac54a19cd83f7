namespace OllamaMax.Cluster;

/// <summary>What is wrong with a worker's reports, as operators are told.</summary>
public static class WorkerFlags
{
    /// <summary>More slots than any worker has, or fewer than none.</summary>
    public const string Slots = "slots_out_of_range";

    /// <summary>Memory, of the machine, a device or a model, that no machine has.</summary>
    public const string Memory = "memory_out_of_range";

    /// <summary>A speed that no machine reaches, or none that is a number.</summary>
    public const string Speed = "tokens_per_second_out_of_range";

    /// <summary>It wants to report so seldom that nobody would notice its end, or so often that it never were alive.</summary>
    public const string Interval = "interval_out_of_range";

    /// <summary>Lists are missing or far too long, or texts are.</summary>
    public const string Shape = "report_malformed";

    /// <summary>Another worker that is not gone has the same name.</summary>
    public const string Name = "name_taken";
}
