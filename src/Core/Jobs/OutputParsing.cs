namespace OllamaMax.Jobs;

/// <summary>What the assembler takes apart in a job's text.</summary>
public sealed record OutputParsing
{
    public static readonly OutputParsing None = new();

    /// <summary>Null: whatever looks like reasoning is part of the text.</summary>
    public ThinkingTags? Thinking { get; init; }

    public ToolCallForm ToolCalls { get; init; }

    /// <summary>Of several calls only the first is one of the answer's.</summary>
    public bool IsSingleCall { get; init; }
}

/// <param name="Open">Such as <c>&lt;think&gt;</c>.</param>
/// <param name="Close">Such as <c>&lt;/think&gt;</c>.</param>
/// <param name="IsOpen">The prompt ends inside already: the model's first token is reasoning.</param>
public sealed record ThinkingTags(string Open, string Close, bool IsOpen);

/// <summary>How a model writes the functions it wants called.</summary>
public enum ToolCallForm
{
    /// <summary>They are part of the text.</summary>
    None,

    /// <summary><c>&lt;tool_call&gt;{"name":…,"arguments":{…}}&lt;/tool_call&gt;</c>, any number of them (Hermes, Qwen).</summary>
    Hermes,

    /// <summary>The whole text is <c>{"name":…,"parameters":{…}}</c>, with or without <c>&lt;|python_tag|&gt;</c>; several are separated by <c>;</c> (Llama 3).</summary>
    Llama3,

    /// <summary><c>[TOOL_CALLS]</c> and an array of <c>{"name":…,"arguments":{…}}</c> (Mistral).</summary>
    Mistral,
}
