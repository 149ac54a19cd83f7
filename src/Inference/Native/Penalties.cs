namespace OllamaMax.Inference.Native;

/// <summary>
/// Makes tokens less likely that were there lately; the formulas are those of llama.cpp's <c>llama_sampler_init_penalties</c>.
/// Costs what the window holds, not what the vocabulary does.
/// </summary>
internal sealed class Penalties(SamplerConfig config)
{
    private readonly Queue<int> _window = new();
    private readonly Dictionary<int, int> _counts = [];

    public void Accept(int token)
    {
        if (_window.Count == config.PenaltyWindow && --_counts[_window.Peek()] == 0)
            _counts.Remove(_window.Peek());
        if (_window.Count == config.PenaltyWindow)
            _window.Dequeue();
        _window.Enqueue(token);
        _counts[token] = _counts.GetValueOrDefault(token) + 1;
    }

    public void Apply(Span<float> logits)
    {
        foreach ((int token, int count) in _counts)
        {
            ref float logit = ref logits[token];
            // Dividing alone, as in the paper (Keskar et al. 2019), would make tokens with a negative logit likelier.
            logit = logit <= 0 ? logit * config.Options.RepeatPenalty : logit / config.Options.RepeatPenalty;
            logit -= (count * config.Options.FrequencyPenalty) + config.Options.PresencePenalty;
        }
    }
}
