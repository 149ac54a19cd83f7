using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Backup;

internal static class BackupServices
{
    /// <summary><c>/cluster/backup</c> and <c>/cluster/restore</c>. Needs the leader's documents, keys, enrolments, the catalogue and usage.</summary>
    public static IServiceCollection AddBackup(this IServiceCollection services)
    {
        services.AddSingleton<BackupSource>();
        services.AddSingleton<BackupWriter>();
        services.AddSingleton<BackupReader>();
        services.AddSingleton<BackupRestorer>();
        services.AddSingleton<IEndpointGroup, BackupEndpoints>();
        return services;
    }
}
