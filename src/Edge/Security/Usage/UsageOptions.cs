using System.ComponentModel.DataAnnotations;

namespace OllamaMax.Edge.Security.Usage;

/// <summary>What was used; from the configuration section <c>OllamaMax:Usage</c>.</summary>
public sealed class UsageOptions
{
    public const string Section = "OllamaMax:Usage";

    /// <summary>Whole months that it is kept, the one that runs besides; null: for ever.</summary>
    [Range(1, 1200)]
    public int? KeptMonths { get; set; }
}
