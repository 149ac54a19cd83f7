using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.Core.Tests.Models;

public sealed class ModelOutputFormsTests
{
    [Theory]
    [InlineData("{% if enable_thinking is defined %}{{ '<think>\\n\\n</think>' }}{% endif %}", "<think>")]
    [InlineData("{% set content = content.split('</think>')[-1] %}", "<think>")]
    [InlineData("{% if enable_thinking %}{{ '/think' }}{% endif %}", "<think>")]
    [InlineData("{{ '<seed:think>' }} and not <think>", "<seed:think>")]
    [InlineData("{{ '[THINK]' + m.thinking + '[/THINK]' }}", "[THINK]")]
    [InlineData("{{ '<|START_THINKING|>' }}", "<|START_THINKING|>")]
    [InlineData("{% if thinking %}{{ 'Think aloud.' }}{% endif %}", null)]
    [InlineData("enable_thinking, says the text", null)]
    [InlineData("{{ messages }}", null)]
    [InlineData(null, null)]
    public void ThinkingTags_Template_ShowsThem(string? template, string? open)
    {
        (string Open, string Close)? tags = ModelOutputForms.ThinkingTags(template);

        (tags?.Open).ShouldBe(open);
        (tags?.Close).ShouldBe(open?.Replace("<|START", "<|END", StringComparison.Ordinal)
            .Replace("<think", "</think", StringComparison.Ordinal).Replace("<seed", "</seed", StringComparison.Ordinal).Replace("[", "[/", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{{ '<tool_call>\\n{\"name\": ' }}", ToolCallForm.Hermes)]
    [InlineData("{{ '<|start_header_id|>' }}{{ '<tool_call>' }}", ToolCallForm.Hermes)]
    [InlineData("{{ '<tool_call>\\n<function=' }}", ToolCallForm.None)]
    [InlineData("{{ '<tool_call>' + name + '<arg_key>' }}", ToolCallForm.None)]
    [InlineData("{{ '<|python_tag|>' }}<function=", ToolCallForm.None)]
    [InlineData("{{ '<|python_tag|>' }}", ToolCallForm.Llama3)]
    [InlineData("{{ '<|start_header_id|>' }}{{ '\"parameters\": ' }}", ToolCallForm.Llama3)]
    [InlineData("Respond in the format {\"name\": function name, \"parameters\": dictionary", ToolCallForm.Llama3)]
    [InlineData("{{ '[TOOL_CALLS] [' }}", ToolCallForm.Mistral)]
    [InlineData("{{ '<|tool_call|>' }}{{ tools }}", ToolCallForm.None)]
    [InlineData(null, ToolCallForm.None)]
    public void ToolCalls_Template_ShowsTheForm(string? template, ToolCallForm form) => ModelOutputForms.ToolCalls(template).ShouldBe(form);
}
