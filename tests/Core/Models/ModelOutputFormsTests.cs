using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.Core.Tests.Models;

public sealed class ModelOutputFormsTests
{
    [Theory]
    [InlineData("{% if enable_thinking is defined %}{{ '<think>\\n\\n</think>' }}{% endif %}", "<think>", "</think>")]
    [InlineData("{% set content = content.split('</think>')[-1] %}", "<think>", "</think>")]
    [InlineData("{% if enable_thinking %}{{ '/think' }}{% endif %}", "<think>", "</think>")]
    [InlineData("{{ '<seed:think>' }} and not <think>", "<seed:think>", "</seed:think>")]
    [InlineData("{{ '[THINK]' + m.thinking + '[/THINK]' }}", "[THINK]", "[/THINK]")]
    [InlineData("{{ '<|START_THINKING|>' }}", "<|START_THINKING|>", "<|END_THINKING|>")]
    [InlineData("{{- '<|channel>thought\n' + thinking_text + '\n<channel|>' -}}", "<|channel>thought", "<channel|>")]
    [InlineData("{%- for part in text.split('<channel|>') -%}", "<|channel>thought", "<channel|>")]
    [InlineData("Write your thoughts after 'Here is my thought process:' and write your response after 'Here is my response:'", "Here is my thought process:", "Here is my response:")]
    [InlineData("{%- set reasoning_asst_turn_start = 'Here are my reasoning steps:\\n' -%}", "Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]")]
    [InlineData("{{- \"<|channel|>analysis<|message|>\" + message.thinking }} and not <think>", null, null)]
    [InlineData("{{ '<|start|>assistant to=self<|message|>' + m.reasoning_content + '<|eom|>' }} and not <think>", null, null)]
    [InlineData("{% if thinking %}{{ 'Think aloud.' }}{% endif %}", null, null)]
    [InlineData("enable_thinking, says the text", null, null)]
    [InlineData("{{ messages }}", null, null)]
    [InlineData(null, null, null)]
    public void ThinkingTags_Template_ShowsThem(string? template, string? open, string? close)
    {
        (string Open, string Close)? tags = ModelOutputForms.ThinkingTags(template);

        (tags?.Open).ShouldBe(open);
        (tags?.Close).ShouldBe(close);
    }

    [Theory]
    [InlineData("{{ '<tool_call>\\n{\"name\": ' }}", ToolCallForm.Hermes)]
    [InlineData("{{ '<|start_header_id|>' }}{{ '<tool_call>' }}", ToolCallForm.Hermes)]
    [InlineData("{{ '<tool_call>\\n<function=' + name + '>\\n' }}{{ '<parameter=' + key }}", ToolCallForm.Functions)]
    [InlineData("{% set begin = '<seed:tool_call>' %}{{ begin + '<function=' + name }}{{ '<parameter=' }}", ToolCallForm.SeedOss)]
    [InlineData("{{ '<tool_call>' + name + '<arg_key>' }}", ToolCallForm.Glm)]
    [InlineData("{% set begin = '<minimax:tool_call>' %}\n<invoke name=\"f\">", ToolCallForm.MiniMax)]
    [InlineData("{{ '<tool_call>' }}<invoke name=", ToolCallForm.None)]
    [InlineData("{{ '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>' + name + '<｜tool▁sep｜>' }}", ToolCallForm.DeepSeek)]
    [InlineData("{{ '<｜tool▁call▁begin｜>' + tool['type'] + '<｜tool▁sep｜>' + name + '\\n' + '```json' }}", ToolCallForm.DeepSeekFenced)]
    [InlineData("{% set dsml_token = '｜DSML｜' %}{{ '<' + dsml_token + 'function_calls>' }}", ToolCallForm.Dsml)]
    [InlineData("{% set dsml_token = '｜DSML｜' %}{{ '<' + dsml_token + 'tool_calls>' }}", ToolCallForm.DsmlTools)]
    [InlineData("{{ '<|tool_call>call:' + name + '{' }}", ToolCallForm.Gemma4)]
    [InlineData("{{ '<start_function_call>call:' + name }}", ToolCallForm.FunctionGemma)]
    [InlineData("<|tool_calls_section_begin|>{% for call in calls %}", ToolCallForm.Kimi)]
    [InlineData("{{ 'List of tools: <|tool_list_start|>[' }}", ToolCallForm.Lfm2)]
    [InlineData("{{ '<|im_start|>' }}{{ 'List of tools: [' }}", ToolCallForm.Lfm2)]
    [InlineData("<|START_ACTION|>[{\"tool_name\": ", ToolCallForm.Command)]
    [InlineData("{{ '<|python_tag|>' }}<function=", ToolCallForm.None)]
    [InlineData("{{ '<|python_tag|>' }}", ToolCallForm.Llama3)]
    [InlineData("{{ '<|start_header_id|>' }}{{ '\"parameters\": ' }}", ToolCallForm.Llama3)]
    [InlineData("Respond in the format {\"name\": function name, \"parameters\": dictionary", ToolCallForm.Llama3)]
    [InlineData("{{ '[TOOL_CALLS] [' }}", ToolCallForm.Mistral)]
    [InlineData("{{- \"functions.\" + name + \"<|channel|>commentary json<|message|>\" }}", ToolCallForm.Harmony)]
    [InlineData("{{ '[TOOL_CALLS]' + name + '[ARGS]' }}", ToolCallForm.MistralNamed)]
    [InlineData("{{ '[TOOL_CALLS]' + name }}{{ '[CALL_ID]' + id }}{{ '[ARGS]' }}", ToolCallForm.MistralIdentified)]
    [InlineData("{{ 'respond only with <|tool_call|> followed by a list' }}{{ tools }}", ToolCallForm.Granite)]
    [InlineData("within <tool_call></tool_call> XML tags{{ '\\n<tool_calls>[' }}", ToolCallForm.Apriel)]
    [InlineData("<tool_calls><tool_call>{{ name }}<tool_sep>", ToolCallForm.Hermes)]
    [InlineData("{{- '<TOOLCALL>[' -}}", ToolCallForm.Nemotron2)]
    [InlineData("{{ '<functions>' + (tools | tojson) }}{{ '<function_calls>' }}", ToolCallForm.Olmo3)]
    [InlineData("{{ '<function_calls>' }}", ToolCallForm.None)]
    [InlineData("{{ '<atem:invoke name=\"' + name }}{{ '<atem:parameter name=\"' + k }}", ToolCallForm.Atem)]
    [InlineData("{{ tools | tojson }}", ToolCallForm.None)]
    [InlineData(null, ToolCallForm.None)]
    public void ToolCalls_Template_ShowsTheForm(string? template, ToolCallForm form) => ModelOutputForms.ToolCalls(template).ShouldBe(form);

    [Theory]
    [InlineData("{{ '<|START_RESPONSE|>' + m.content }}", "", "<|START_RESPONSE|>")]
    [InlineData("{{ '<|START_TEXT|>' }} not <|START_RESPONSE|>", "", "<|START_TEXT|>")]
    [InlineData("between <response></response>", "Write your response between <response></response>.", "<response>")]
    [InlineData("between <response></response>", "Write <response>", null)]
    [InlineData("{{ messages }}", "<response></response>", null)]
    [InlineData(null, "", null)]
    public void AnswerTags_TemplateAndPrompt_ShowThem(string? template, string prompt, string? open) =>
        (ModelOutputForms.AnswerTags(template, prompt)?.Open).ShouldBe(open);

    [Theory]
    [InlineData("<|eot|><|start|>assistant", "")]
    [InlineData("<|start|>assistant to=user<|message|>a<|eot|><|start|>assistant to=user<|message|>b", " to=user<|message|>")]
    [InlineData("<|start|>assistant to=self<|message|>a<|eom|>", "")]
    [InlineData("raw", "")]
    public void Addressed_Prompt_ShowsWhatItHasBegun(string prompt, string begun)
    {
        ModelOutputForms.Addressed("{{ '<|start|>assistant to=self<|message|>' }}", prompt).ShouldBe(begun);
        ModelOutputForms.Addressed("{{ '<|start|>assistant<|message|>' }}", prompt).ShouldBeNull();
    }

    [Theory]
    [InlineData("<|end|><|start|>assistant", "")]
    [InlineData("<|end|><|start|>assistant\n", "")]
    [InlineData("<|start|>assistant<|channel|>final<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>", "<|channel|>final<|message|>")]
    [InlineData("<|start|>assistant<|channel|>analysis<|message|>I ", "<|channel|>analysis<|message|>")]
    [InlineData("<|start|>assistant<|channel|>final<|message|>a<|end|><|start|>user<|message|>b", "")]
    [InlineData("raw", "")]
    public void Harmony_Prompt_ShowsWhatItHasBegun(string prompt, string begun)
    {
        ModelOutputForms.Harmony("<|channel|>final<|message|>", prompt).ShouldBe(begun);
        ModelOutputForms.Harmony("{{ '<|channel>thought' }}<|message|>", prompt).ShouldBeNull();
    }
}
