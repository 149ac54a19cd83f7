namespace OllamaMax.Inference.Native;

/// <summary>How the vectors of a text's tokens become one; values of <c>llama_pooling_type</c>.</summary>
internal enum Pooling
{
    Mean = 1,

    /// <summary>The first token's.</summary>
    First = 2,

    /// <summary>The last token's.</summary>
    Last = 3,
}
