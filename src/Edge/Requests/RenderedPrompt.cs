using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>A prompt, and what is to be expected behind it.</summary>
/// <param name="Text">As the model reads it.</param>
/// <param name="Parsing">What to take apart in the answer.</param>
/// <param name="Grammar">What the whole answer must follow, reasoning included; null: free text.</param>
internal sealed record RenderedPrompt(string Text, OutputParsing Parsing, string? Grammar);
