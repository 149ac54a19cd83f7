using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Tenants;

internal static class TenantServices
{
    /// <summary>What is kept of a tenant, to take away and to delete. Needs background jobs, batches and usage.</summary>
    public static IServiceCollection AddTenantData(this IServiceCollection services)
    {
        services.AddSingleton<TenantErasure>();
        services.AddSingleton<TenantExport>();
        services.AddSingleton<IEndpointGroup, TenantsEndpoints>();
        return services;
    }
}
