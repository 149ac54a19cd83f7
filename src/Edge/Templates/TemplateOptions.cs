namespace OllamaMax.Edge.Templates;

/// <summary>
/// What a request says about rendering. What is null is not defined for the template, which then takes its own default.
/// </summary>
public sealed record TemplateOptions
{
    /// <summary>
    /// Whether the model is to think first: <c>enable_thinking</c> (Qwen, GLM) and <c>thinking</c> (DeepSeek, Granite).
    /// </summary>
    public bool? Think { get; init; }

    /// <summary>low, medium or high, see <see cref="Templates.ReasoningEffort"/>.</summary>
    public string? ReasoningEffort { get; init; }
}
