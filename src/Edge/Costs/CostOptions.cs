using System.ComponentModel.DataAnnotations;

namespace OllamaMax.Edge.Costs;

/// <summary>
/// The price table, from the configuration section <c>OllamaMax:Costs</c>. The defaults are those of docs/deployment.md: US dollars, list prices of a European region as of 2025,
/// without tax and discounts. Prices change and differ by region, redundancy and contract: check them and put yours here.
/// </summary>
public sealed class CostOptions
{
    public const string Section = "OllamaMax:Costs";

    private const double Most = 1e6;

    /// <summary>Of all prices; shown, not converted.</summary>
    [Required]
    public string Currency { get; set; } = "USD";

    /// <summary>Of 10,000 read operations on blobs (hot tier).</summary>
    [Range(0, Most)]
    public double StorageReads { get; set; } = 0.0045;

    /// <summary>Of 10,000 write operations on blobs (hot tier, LRS).</summary>
    [Range(0, Most)]
    public double StorageWrites { get; set; } = 0.055;

    /// <summary>Of 10,000 list operations on blobs (hot tier, LRS).</summary>
    [Range(0, Most)]
    public double StorageLists { get; set; } = 0.055;

    /// <summary>Of 10,000 operations on queues.</summary>
    [Range(0, Most)]
    public double QueueOperations { get; set; } = 0.004;

    /// <summary>Of a million messages of 2 KB beyond those that units include.</summary>
    [Range(0, Most)]
    public double SignalRMessages { get; set; } = 1;

    /// <summary>Of a unit of Standard and a day, used or not.</summary>
    [Range(0, Most)]
    public double SignalRUnitDay { get; set; } = 1.61;

    /// <summary>Messages of a day that a unit includes.</summary>
    [Range(0, long.MaxValue)]
    public long SignalRUnitMessages { get; set; } = 1_000_000;

    /// <summary>Units of Standard that are deployed; 0: the free tier, or a SignalR of one's own. The edge cannot ask, so without it the line is left out.</summary>
    [Range(0, 1000)]
    public int? SignalRUnits { get; set; }

    /// <summary>Of a GB for a second (Flex Consumption, on demand).</summary>
    [Range(0, Most)]
    public double FunctionGigabyteSecond { get; set; } = 0.000026;

    /// <summary>MB that an instance of the function app has; 0: the edge is none, as the local host. The edge cannot ask, so without it the line is left out.</summary>
    [Range(0, 65_536)]
    public int? FunctionMemoryMB { get; set; }

    /// <summary>Of a million executions (Flex Consumption, on demand).</summary>
    [Range(0, Most)]
    public double Requests { get; set; } = 0.4;
}
