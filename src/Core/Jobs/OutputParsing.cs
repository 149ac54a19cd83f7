using System.Text.Json.Serialization;

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

    /// <summary>
    /// The model writes messages to recipients (Muse Glimmer), its reasoning to itself: what the prompt has begun of the first one's header, as for
    /// <see cref="Harmony"/>. Null: it writes none; otherwise there are no tags.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Addressed { get; init; }

    [JsonIgnore]
    public ToolCallForm ToolCalls
    {
        get => LaterForm == ToolCallForm.None ? WrittenForm : LaterForm;
        init => (WrittenForm, LaterForm) = (value, ToolCallForm.None);
    }

    /// <summary>Any form in storage; for workers one of the first, see <see cref="ForWorkers"/>.</summary>
    [JsonInclude, JsonPropertyName("tool_calls")]
    internal ToolCallForm WrittenForm { get; init; }

    [JsonInclude, JsonPropertyName("call_form"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    internal ToolCallForm LaterForm { get; init; }

    /// <summary>Of what types arguments may be, by function and argument; null where the form tells texts from other values itself.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, ArgumentTypes>>? Arguments { get; init; }

    /// <summary>Of several calls only the first is one of the answer's.</summary>
    public bool IsSingleCall { get; init; }

    /// <summary>
    /// The same, as any worker can read it: a worker that knows only the first forms cannot read another, and its job would fail by it. It skips
    /// <see cref="LaterForm"/>, and takes the calls for text. In storage all stand in the one field: an edge from before that other one would lose it where it writes anew what it has read.
    /// </summary>
    public OutputParsing ForWorkers() =>
        WrittenForm <= ToolCallForm.Mistral ? this : this with { WrittenForm = ToolCallForm.None, LaterForm = WrittenForm };
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
[JsonConverter(typeof(ToolCallFormConverter))]
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

    /// <summary><c>[TOOL_CALLS]name[ARGS]{…}</c> for each call (Mistral, from 2025 on).</summary>
    MistralNamed,

    /// <summary>The same with <c>[CALL_ID]</c> and nine characters behind the name (Mistral Small 3.2).</summary>
    MistralIdentified,

    /// <summary><c>&lt;tool_call&gt;&lt;function=name&gt;&lt;parameter=key&gt;value&lt;/parameter&gt;&lt;/function&gt;&lt;/tool_call&gt;</c> (Qwen3-Coder, Qwen3.5, Nemotron 3, Step 3.5).</summary>
    Functions,

    /// <summary>As <see cref="Functions"/> in <c>&lt;seed:tool_call&gt;</c>.</summary>
    SeedOss,

    /// <summary><c>&lt;tool_call&gt;name&lt;arg_key&gt;key&lt;/arg_key&gt;&lt;arg_value&gt;value&lt;/arg_value&gt;&lt;/tool_call&gt;</c> (GLM).</summary>
    Glm,

    /// <summary><c>&lt;minimax:tool_call&gt;&lt;invoke name="name"&gt;&lt;parameter name="key"&gt;value&lt;/parameter&gt;&lt;/invoke&gt;&lt;/minimax:tool_call&gt;</c>.</summary>
    MiniMax,

    /// <summary><c>&lt;｜tool▁call▁begin｜&gt;name&lt;｜tool▁sep｜&gt;{…}&lt;｜tool▁call▁end｜&gt;</c> within <c>&lt;｜tool▁calls▁begin｜&gt;</c> (DeepSeek V3.1).</summary>
    DeepSeek,

    /// <summary>The same with <c>function</c> before the name, and the arguments in a fence of <c>```json</c> (DeepSeek V3, R1).</summary>
    DeepSeekFenced,

    /// <summary><c>&lt;｜DSML｜invoke name="name"&gt;&lt;｜DSML｜parameter name="key" string="true"&gt;value&lt;/｜DSML｜parameter&gt;</c> within <c>&lt;｜DSML｜function_calls&gt;</c> (DeepSeek V3.2).</summary>
    Dsml,

    /// <summary>The same within <c>&lt;｜DSML｜tool_calls&gt;</c> (DeepSeek V4).</summary>
    DsmlTools,

    /// <summary><c>&lt;|tool_call&gt;call:name{key:value}&lt;tool_call|&gt;</c>, strings within <c>&lt;|"|&gt;</c> (Gemma 4).</summary>
    Gemma4,

    /// <summary>The same within <c>&lt;start_function_call&gt;</c>, strings within <c>&lt;escape&gt;</c>.</summary>
    FunctionGemma,

    /// <summary><c>&lt;|tool_call_begin|&gt;functions.name:0&lt;|tool_call_argument_begin|&gt;{…}&lt;|tool_call_end|&gt;</c> within <c>&lt;|tool_calls_section_begin|&gt;</c> (Kimi K2).</summary>
    Kimi,

    /// <summary><c>&lt;|tool_call_start|&gt;[name(key=value)]&lt;|tool_call_end|&gt;</c>, as Python writes it (LFM2).</summary>
    Lfm2,

    /// <summary><c>&lt;|tool_call|&gt;</c> and an array of <c>{"name":…,"arguments":{…}}</c> (Granite 3).</summary>
    Granite,

    /// <summary><c>&lt;|START_ACTION|&gt;</c>, an array of <c>{"tool_name":…,"parameters":{…}}</c> and <c>&lt;|END_ACTION|&gt;</c> (Command R7B, Command A).</summary>
    Command,

    /// <summary>Lines of <c>name(key=value)</c>, as Python writes them, within <c>&lt;function_calls&gt;</c> (Olmo 3).</summary>
    Olmo3,

    /// <summary><c>&lt;tool_calls&gt;</c>, an array of <c>{"name":…,"arguments":{…}}</c> and <c>&lt;/tool_calls&gt;</c> (Apriel).</summary>
    Apriel,

    /// <summary>The same within <c>&lt;TOOLCALL&gt;</c> (Nemotron Nano 2, Nemotron Super 1.5).</summary>
    Nemotron2,

    /// <summary>
    /// <c>&lt;atem:function_calls&gt;&lt;atem:invoke name="name"&gt;&lt;atem:parameter name="key"&gt;value&lt;/atem:parameter&gt;&lt;/atem:invoke&gt;&lt;/atem:function_calls&gt;</c>
    /// (Muse Glimmer).
    /// </summary>
    Atem,
}
