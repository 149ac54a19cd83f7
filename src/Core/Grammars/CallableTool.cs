using System.Text.Json;

namespace OllamaMax.Grammars;

/// <summary>A tool as grammars know it.</summary>
/// <param name="Name">What the model calls it by.</param>
/// <param name="Parameters">JSON Schema of its arguments; null: any object.</param>
/// <param name="IsStrict">A schema that no grammar can say is an error; otherwise the arguments are any object then.</param>
public sealed record CallableTool(string Name, JsonElement? Parameters, bool IsStrict);
