namespace OllamaMax.Jobs;

/// <summary>What it took until the first token of an attempt. Durations are measured at the worker.</summary>
/// <param name="PromptTokens">Tokens of the prompt; those of an answer that is continued are not counted.</param>
/// <param name="CachedTokens">Of these, not decoded because their state was still there.</param>
/// <param name="LoadDuration">Bringing the model into memory, where that was needed.</param>
/// <param name="PromptDuration">Decoding the prompt.</param>
public sealed record AttemptStart(int PromptTokens, int CachedTokens, TimeSpan LoadDuration, TimeSpan PromptDuration);
