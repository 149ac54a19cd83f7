using System.Collections.Concurrent;

namespace OllamaMax.GpuWorker.Health;

/// <summary>Tokens per second, of each model and of all together.</summary>
internal sealed class ModelMeters(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, TokenMeter> _models = [];
    private readonly TokenMeter _all = new(time);

    /// <summary>The meters that a job of this model is measured by.</summary>
    public TokenMeter[] For(string digest) => [_all, _models.GetOrAdd(digest, _ => new TokenMeter(time))];

    /// <summary>The model's rates as last measured; null before its first job.</summary>
    public TokenRates? LastOf(string digest) => _models.GetValueOrDefault(digest)?.Last;

    /// <summary>Measures anew; answers the rate of all together.</summary>
    public double? Read()
    {
        foreach (TokenMeter meter in _models.Values)
            meter.Read();
        return _all.Read()?.Together;
    }
}
