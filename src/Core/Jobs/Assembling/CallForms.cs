using System.Collections.Frozen;

namespace OllamaMax.Jobs.Assembling;

/// <summary>The forms that are marks around calls and nothing more, from the templates of the models that write them.</summary>
internal static class CallForms
{
    private static readonly CallForm Functions = new()
    {
        SectionOpen = "<tool_call>\n",
        Open = "<function=",
        NameEnd = ">\n",
        Syntax = new TaggedSyntax("<parameter=", ">\n", "\n</parameter>\n"),
        Close = "</function>",
        SectionClose = "\n</tool_call>",
        Between = "\n</tool_call>\n<tool_call>\n",
    };

    private static readonly CallForm DeepSeek = new()
    {
        SectionOpen = "<｜tool▁calls▁begin｜>",
        Open = "<｜tool▁call▁begin｜>",
        NameEnd = "<｜tool▁sep｜>",
        Syntax = new JsonSyntax(),
        Close = "<｜tool▁call▁end｜>",
        SectionClose = "<｜tool▁calls▁end｜>",
    };

    private static readonly CallForm Dsml = new()
    {
        SectionOpen = "<｜DSML｜function_calls>\n",
        Open = "<｜DSML｜invoke name=\"",
        NameEnd = "\">\n",
        Syntax = new TaggedSyntax("<｜DSML｜parameter name=\"", "\" string=\"true\">", "</｜DSML｜parameter>\n") { KeyEndOfJson = "\" string=\"false\">" },
        Close = "</｜DSML｜invoke>\n",
        SectionClose = "</｜DSML｜function_calls>",
    };

    private static readonly FrozenDictionary<ToolCallForm, CallForm> All = new Dictionary<ToolCallForm, CallForm>
    {
        [ToolCallForm.Functions] = Functions,
        [ToolCallForm.SeedOss] = Functions with
        {
            SectionOpen = "<seed:tool_call>\n",
            Syntax = new TaggedSyntax("<parameter=", ">", "</parameter>\n"),
            SectionClose = "\n</seed:tool_call>",
            Between = "\n</seed:tool_call>\n<seed:tool_call>\n",
        },
        [ToolCallForm.Glm] = new()
        {
            Open = "<tool_call>",
            NameEnd = "\n",
            Syntax = new TaggedSyntax("<arg_key>", "</arg_key>\n<arg_value>", "</arg_value>\n"),
            Close = "</tool_call>",
            Between = "\n",
        },
        [ToolCallForm.MiniMax] = new()
        {
            SectionOpen = "<minimax:tool_call>\n",
            Open = "<invoke name=\"",
            NameEnd = "\">\n",
            Syntax = new TaggedSyntax("<parameter name=\"", "\">", "</parameter>\n"),
            Close = "</invoke>\n",
            SectionClose = "</minimax:tool_call>",
        },
        [ToolCallForm.DeepSeek] = DeepSeek,
        [ToolCallForm.DeepSeekFenced] = DeepSeek with
        {
            Open = "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
            NameEnd = "\n```json\n",
            Close = "\n```<｜tool▁call▁end｜>",
            Between = "\n",
        },
        [ToolCallForm.Dsml] = Dsml,
        [ToolCallForm.DsmlTools] = Dsml with { SectionOpen = "<｜DSML｜tool_calls>\n", SectionClose = "</｜DSML｜tool_calls>" },
        [ToolCallForm.Gemma4] = new() { Open = "<|tool_call>call:", Syntax = new LiteralSyntax("<|\"|>"), Close = "<tool_call|>", Results = "<|tool_response>" },
        [ToolCallForm.FunctionGemma] = new()
        {
            Open = "<start_function_call>call:",
            Syntax = new LiteralSyntax("<escape>"),
            Close = "<end_function_call>",
            Results = "<start_function_response>",
        },
        [ToolCallForm.Kimi] = new()
        {
            SectionOpen = "<|tool_calls_section_begin|>",
            Open = "<|tool_call_begin|>",
            NameBegin = "functions.",
            IsNumbered = true,
            NameEnd = "<|tool_call_argument_begin|>",
            Syntax = new JsonSyntax(),
            Close = "<|tool_call_end|>",
            SectionClose = "<|tool_calls_section_end|>",
        },
        [ToolCallForm.Lfm2] = new() { Open = "<|tool_call_start|>", HasName = false, Syntax = new LiteralSyntax(""), Close = "<|tool_call_end|>" },
        [ToolCallForm.Olmo3] = new()
        {
            SectionOpen = "<function_calls>",
            Open = "",
            Syntax = new LiteralSyntax("") { IsCall = true },
            SectionClose = "</function_calls>",
            Between = "\n",
        },
        [ToolCallForm.Apriel] = new() { Open = "<tool_calls>", HasName = false, Syntax = new JsonArraySyntax("name", "arguments"), Close = "</tool_calls>" },
        [ToolCallForm.Nemotron2] = new() { Open = "<TOOLCALL>", HasName = false, Syntax = new JsonArraySyntax("name", "arguments"), Close = "</TOOLCALL>" },
        [ToolCallForm.Atem] = new()
        {
            SectionOpen = "<atem:function_calls>\n",
            Open = "<atem:invoke name=\"",
            IsNamespaced = true,
            NameEnd = "\">\n",
            Syntax = new TaggedSyntax("<atem:parameter name=\"", "\">", "</atem:parameter>\n"),
            Close = "</atem:invoke>\n",
            SectionClose = "</atem:function_calls>",
            IsOnlyRead = true,
        },
        [ToolCallForm.Granite] = new() { Open = "<|tool_call|>", HasName = false, Syntax = new JsonArraySyntax("name", "arguments") },
        [ToolCallForm.Command] = new()
        {
            Open = "<|START_ACTION|>",
            HasName = false,
            Syntax = new JsonArraySyntax("tool_name", "parameters") { Number = "tool_call_id" },
            Close = "<|END_ACTION|>",
        },
    }.ToFrozenDictionary();

    /// <summary>Null for a form that is read by a parser of its own.</summary>
    public static CallForm? Of(ToolCallForm form) => All.GetValueOrDefault(form);
}
