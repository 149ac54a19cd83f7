namespace OllamaMax.Jobs;

/// <summary>How likely a token was, by the model's own distribution: before temperature, filters and penalties.</summary>
/// <param name="Logprob">Natural logarithm of its probability.</param>
/// <param name="Top">The likeliest tokens there, the likeliest first; as many as the job asks for.</param>
public sealed record TokenLogprobs(float Logprob, IReadOnlyList<TopLogprob> Top);

/// <param name="Piece">The token's bytes; may be part of a character.</param>
public sealed record TopLogprob(int Token, byte[] Piece, float Logprob);
