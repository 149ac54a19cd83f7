namespace OllamaMax.Edge.Health;

/// <summary>One thing that must be there before requests are answered. Registered in DI; <c>/readyz</c> asks all.</summary>
public interface IReadinessCheck
{
    /// <summary>Short and lower case, such as <c>storage</c>; unique.</summary>
    string Name { get; }

    /// <summary>Null when it is there, otherwise what is wrong, for people. May throw, which counts as not there.</summary>
    ValueTask<string?> CheckAsync(CancellationToken cancellationToken);
}
