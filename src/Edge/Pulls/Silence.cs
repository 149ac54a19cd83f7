namespace OllamaMax.Edge.Pulls;

/// <summary>Bounds how long nothing may come, which is not how long all may take.</summary>
internal static class Silence
{
    /// <exception cref="TimeoutException">Nothing came for so long.</exception>
    public static async Task<T> LimitAsync<T>(
        Func<CancellationToken, Task<T>> read, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        using CancellationTokenSource silence = new(limit, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        try
        {
            return await read(either.Token);
        }
        catch (OperationCanceledException e) when (silence.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"nothing came for {limit.TotalSeconds:0} s", e);
        }
    }
}
