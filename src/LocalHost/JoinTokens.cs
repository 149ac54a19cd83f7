using OllamaMax.Storage;
using OllamaMax.Storage.Workers;

namespace OllamaMax.LocalHost;

/// <summary>Lets workers in. The local host has the account, so it asks no edge: beside a Functions host it does the same.</summary>
internal sealed class JoinTokens(StorageAccount account, TimeProvider time)
{
    private static readonly TimeSpan ForOurs = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan ForPeople = TimeSpan.FromHours(1);

    private readonly WorkerEnrolments _enrolments = new(account, time);

    /// <summary>For a worker that starts now.</summary>
    public ValueTask<string> ForOurWorkerAsync(CancellationToken cancellationToken) => CreateAsync(ForOurs, cancellationToken);

    /// <summary>For somebody who has to walk to another box first.</summary>
    public ValueTask<string> ForAnotherBoxAsync(CancellationToken cancellationToken) => CreateAsync(ForPeople, cancellationToken);

    private async ValueTask<string> CreateAsync(TimeSpan lifetime, CancellationToken cancellationToken) =>
        (await _enrolments.CreateJoinTokenAsync(lifetime, cancellationToken)).Token;
}
