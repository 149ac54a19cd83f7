namespace OllamaMax.Chaos.Tests.Clients;

/// <summary>One of the ways to ask.</summary>
internal interface IChaosClient : IAsyncDisposable
{
    /// <summary>Asks, reads to the end, and answers what became of it; failures are values.</summary>
    /// <param name="id">For the logs.</param>
    /// <param name="question">What is asked.</param>
    /// <param name="pulse">Beats with each piece of text.</param>
    /// <param name="cancellationToken">Ends the wait; what is unfinished then hangs.</param>
    Task<Outcome> AskAsync(string id, Question question, Pulse pulse, CancellationToken cancellationToken);
}
