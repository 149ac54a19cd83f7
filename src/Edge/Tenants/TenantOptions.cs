using System.ComponentModel.DataAnnotations;
using OllamaMax.Edge.Security.Keys;
using OllamaMax.Placement;

namespace OllamaMax.Edge.Tenants;

/// <summary>
/// Limits by tenant; from the configuration section <c>OllamaMax:Tenants</c>, which has <c>Default</c> for everybody and tenants' names for what is
/// different for them: <c>OllamaMax:Tenants:acme:Weight=4</c>, or any name and the tenant's as its <see cref="TenantLimits.Value"/>. Without any, tenants are equal, and bounded by the models' backlogs alone.
/// </summary>
public sealed class TenantOptions : IValidatableObject
{
    public const string Section = "OllamaMax:Tenants";

    private const string Default = "Default";

    private static readonly TenantLimits None = new() { Weight = 1 };

    /// <summary>By tenant's name, or another where <see cref="TenantLimits.Value"/> is it. Case does not matter, as in all configuration.</summary>
    public IDictionary<string, TenantLimits> Limits { get; } = new Dictionary<string, TenantLimits>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The tenants of which something is said, and <c>Default</c> where that is among them.</summary>
    internal IEnumerable<string> Names => Limits.Select(entry => entry.Value.Value ?? entry.Key);

    /// <summary>What applies to the tenant; its weight is always there.</summary>
    public TenantLimits Of(string tenant)
    {
        TenantLimits common = Limits.TryGetValue(Default, out TenantLimits? given) ? given.Or(None) : None;
        return Find(tenant) is { } own ? own.Or(common) : common;
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (string twice in Names.GroupBy(name => name, StringComparer.OrdinalIgnoreCase).Where(same => same.Count() > 1).Select(same => same.Key))
            yield return new($"{Section}: two entries are of the tenant '{twice}'");
        foreach (var (tenant, limits) in Limits)
        {
            if (limits.Value is { } value && (!KeyRequest.IsTenant(value) || IsDefault(tenant)))
                yield return new($"{Section}:{tenant}: Value '{value}' {(IsDefault(tenant) ? "cannot be given: the entry is for everybody" : "is no tenant's name")}");
            foreach (ValidationResult error in limits.Errors($"{Section}:{tenant}"))
                yield return error;
            if (!LabelSelector.TryParse(limits.Labels, out _, out string? wrong))
                yield return new($"{Section}:{tenant}: Labels: {wrong}.");
        }
    }

    private static bool IsDefault(string name) => string.Equals(name, Default, StringComparison.OrdinalIgnoreCase);

    private TenantLimits? Find(string tenant) => Limits.TryGetValue(tenant, out TenantLimits? own) && own.Value is null
        ? own
        : Limits.Values.FirstOrDefault(limits => tenant.Equals(limits.Value, StringComparison.OrdinalIgnoreCase));
}
