using System.Text.Json;

namespace OllamaMax.Jobs;

/// <summary>A function that the model wants called.</summary>
/// <param name="Arguments">A JSON object, as the model wrote it.</param>
public sealed record ToolCall(string Name, JsonElement Arguments);
