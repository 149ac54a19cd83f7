namespace OllamaMax.Jobs;

/// <summary>What the assembler takes apart in a job's text.</summary>
public sealed record OutputParsing
{
    public static readonly OutputParsing None = new();

    /// <summary>Null: whatever looks like reasoning is part of the text.</summary>
    public ThinkingTags? Thinking { get; init; }

    /// <summary>What stands around the answer's text, behind the reasoning; null: nothing that is known.</summary>
    public AnswerTags? Answer { get; init; }

    /// <summary>
    /// The model writes messages in channels (OpenAI's harmony): what the prompt has begun of the first one's header, behind
    /// <c>&lt;|start|&gt;assistant</c>, mostly nothing. Null: it writes none; otherwise there are no tags.
    /// </summary>
    public string? Harmony { get; init; }

    public ToolCallForm ToolCalls { get; init; }

    /// <summary>Of several calls only the first is one of the answer's.</summary>
    public bool IsSingleCall { get; init; }
}

/// <param name="Open">Such as <c>&lt;think&gt;</c>.</param>
/// <param name="Close">Such as <c>&lt;/think&gt;</c>.</param>
/// <param name="IsOpen">The prompt ends inside already: the model's first token is reasoning.</param>
public sealed record ThinkingTags(string Open, string Close, bool IsOpen);

/// <param name="Open">Such as <c>&lt;response&gt;</c>.</param>
/// <param name="Close">Such as <c>&lt;/response&gt;</c>.</param>
/// <param name="IsBegun">The prompt ends between them, in a text that the answer goes on with.</param>
public sealed record AnswerTags(string Open, string Close, bool IsBegun = false);

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

    /// <summary>
    /// <c>&lt;|channel|&gt;commentary to=functions.name &lt;|constrain|&gt;json&lt;|message|&gt;{…}</c>, one that ends the turn (gpt-oss); with
    /// <see cref="OutputParsing.Harmony"/> only.
    /// </summary>
    Harmony,
}
