using Microsoft.Extensions.Options;
using OllamaMax.Edge.Jobs;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.Tenants;

/// <summary>How long what a tenant asked and was answered is kept: as it is said for it (<see cref="TenantLimits.Retention"/>), otherwise as everybody's.</summary>
internal sealed class TenantRetention(IOptions<TenantOptions> tenants, IOptions<BackgroundOptions> background)
{
    /// <summary>Everybody's.</summary>
    public RecordPolicy Policy { get; } = background.Value.Policy;

    public RecordPolicy PolicyOf(string tenant) => Policy with { Retention = Of(tenant) };

    /// <summary>From a job's end; zero: nothing is stored beyond it.</summary>
    public TimeSpan Of(string tenant) => tenants.Value.Of(tenant).Retention ?? Policy.Retention;

    /// <summary>That of those of whom anything is stored for the shortest.</summary>
    public TimeSpan Shortest => tenants.Value.Names.Select(Of).Append(Policy.Retention).Where(kept => kept > TimeSpan.Zero).DefaultIfEmpty().Min();

    public bool StoresNothing(string tenant) => Of(tenant) <= TimeSpan.Zero;
}
