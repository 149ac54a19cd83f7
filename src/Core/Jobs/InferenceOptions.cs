namespace OllamaMax.Jobs;

/// <summary>
/// How to decode and sample. Names and defaults are Ollama's
/// (https://docs.ollama.com/modelfile#valid-parameters-and-values).
/// </summary>
public sealed record InferenceOptions
{
    /// <summary>Tokens of context for this job, prompt and answer together; null: as much as the worker gives a slot.</summary>
    public int? NumCtx { get; init; }

    /// <summary>Most tokens to generate; -1: until the model ends or the context is full.</summary>
    public int NumPredict { get; init; } = -1;

    /// <summary>0 takes the likeliest token each time.</summary>
    public float Temperature { get; init; } = 0.8f;

    public int TopK { get; init; } = 40;

    public float TopP { get; init; } = 0.9f;

    public float MinP { get; init; }

    /// <summary>1 switches the penalty off.</summary>
    public float RepeatPenalty { get; init; } = 1.1f;

    /// <summary>Tokens back that the penalty looks at; 0: none, -1: the context.</summary>
    public int RepeatLastN { get; init; } = 64;

    public float PresencePenalty { get; init; }

    public float FrequencyPenalty { get; init; }
}
