using System.ComponentModel.DataAnnotations;
using OllamaMax.Placement;

namespace OllamaMax.Edge.Tenants;

/// <summary>
/// Limits by tenant; from the configuration section <c>OllamaMax:Tenants</c>, which has <c>Default</c> for everybody and tenants' names for what is
/// different for them: <c>OllamaMax:Tenants:acme:Weight=4</c>. Without any, tenants are equal, and bounded by the models' backlogs alone.
/// </summary>
public sealed class TenantOptions : IValidatableObject
{
    public const string Section = "OllamaMax:Tenants";

    private const string Default = "Default";

    private static readonly TenantLimits None = new() { Weight = 1 };

    /// <summary>By tenant's name, in which case does not matter, as in all configuration.</summary>
    public IDictionary<string, TenantLimits> Limits { get; } = new Dictionary<string, TenantLimits>(StringComparer.OrdinalIgnoreCase);

    /// <summary>What applies to the tenant; its weight is always there.</summary>
    public TenantLimits Of(string tenant)
    {
        TenantLimits common = Limits.TryGetValue(Default, out TenantLimits? given) ? given.Or(None) : None;
        return Limits.TryGetValue(tenant, out TenantLimits? own) ? own.Or(common) : common;
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (tenant, limits) in Limits)
        {
            foreach (ValidationResult error in limits.Errors($"{Section}:{tenant}"))
                yield return error;
            if (!LabelSelector.TryParse(limits.Labels, out _, out string? wrong))
                yield return new($"{Section}:{tenant}: Labels: {wrong}.");
        }
    }
}
