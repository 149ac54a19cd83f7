using Microsoft.Extensions.Hosting;

namespace OllamaMax.LocalHost;

/// <summary>
/// Instead of the console's lifetime, which would take Ctrl-C and SIGTERM away from the process that a web application is only a part of.
/// </summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
