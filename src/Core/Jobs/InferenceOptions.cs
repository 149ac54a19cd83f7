using System.Collections.ObjectModel;

namespace OllamaMax.Jobs;

/// <summary>
/// How to decode and sample. Names and defaults are Ollama's
/// (https://docs.ollama.com/modelfile#valid-parameters-and-values; what that leaves out: DefaultOptions in its api/types.go), but for <see cref="Shift"/>.
/// </summary>
public sealed record InferenceOptions
{
    /// <summary>Tokens of context for this job, prompt and answer together; null: as much as the worker gives a slot.</summary>
    public int? NumCtx { get; init; }

    /// <summary>Most tokens to generate; -1: until the model ends or the context is full; -2: until the context is full, whatever the model says.</summary>
    public int NumPredict { get; init; } = -1;

    /// <summary>0 takes the likeliest token each time.</summary>
    public float Temperature { get; init; } = 0.8f;

    public int TopK { get; init; } = 40;

    public float TopP { get; init; } = 0.9f;

    public float MinP { get; init; }

    /// <summary>1 switches the penalty off.</summary>
    public float RepeatPenalty { get; init; } = 1;

    /// <summary>Tokens back that the penalty looks at; 0: none, -1: the context.</summary>
    public int RepeatLastN { get; init; } = 64;

    public float PresencePenalty { get; init; }

    public float FrequencyPenalty { get; init; }

    /// <summary>1 switches the filter off (locally typical sampling: Meister et al. 2022).</summary>
    public float TypicalP { get; init; } = 1;

    /// <summary>0: off; 1 or 2: the version of Mirostat (Basu et al. 2020), which then takes the place of top_k, top_p, min_p and typical_p.</summary>
    public int Mirostat { get; init; }

    public float MirostatTau { get; init; } = 5;

    public float MirostatEta { get; init; } = 0.1f;

    /// <summary>Added to the logits of these tokens, before all else; -100 or less forbids one.</summary>
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = ReadOnlyDictionary<int, float>.Empty;

    /// <summary>Tokens at the prompt's begin that stay when the context is shifted; -1: the whole prompt.</summary>
    public int NumKeep { get; init; } = 4;

    /// <summary>A full context drops its oldest half (but <see cref="NumKeep"/>) and goes on; false: it ends the answer.</summary>
    public bool Shift { get; init; }

    /// <summary>Null: none; otherwise each token comes with its log probability and those of so many likeliest ones, 0 to 20.</summary>
    public int? TopLogprobs { get; init; }

    /// <summary>GBNF that the answer must follow from its rule <c>root</c>; null: free text.</summary>
    public string? Grammar { get; init; }
}
