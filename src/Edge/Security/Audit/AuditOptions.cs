using System.ComponentModel.DataAnnotations;

namespace OllamaMax.Edge.Security.Audit;

/// <summary>The audit log; from the configuration section <c>OllamaMax:Audit</c>.</summary>
public sealed class AuditOptions
{
    public const string Section = "OllamaMax:Audit";

    /// <summary>Days that records are kept, that of today besides; null: nothing is deleted but by the account's own policy.</summary>
    [Range(1, 36_500)]
    public int? KeptDays { get; set; }
}
