using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.Edge.Templates;

/// <summary>
/// Renders conversations by the models' own Jinja templates. Thread-safe: each call takes an engine of its own from a pool. A
/// template is foreign code: it sees its variables only, and is stopped when it takes too long or too much memory.
/// </summary>
internal sealed class PromptTemplates : IPromptRenderer, IDisposable
{
    /// <summary>
    /// Rendering is work of the processor, but requests that come together render on more threads than there are processors, and an engine made anew compiles the
    /// template again. More than this only hold memory.
    /// </summary>
    private static readonly int MostIdle = Math.Max(16, 2 * Environment.ProcessorCount);

    /// <summary>As many as the runtime asks for before it compiles what runs often a second time.</summary>
    private const int WarmUpRenders = 40;

    private readonly ConcurrentStack<JinjaEngine> _idle = new();
    private readonly JinjaScript _script;
    private readonly PromptTemplatesOptions _options;
    private readonly TimeProvider _time;

    /// <exception cref="FileNotFoundException">The Jinja library is missing; the message says what to do.</exception>
    public PromptTemplates(IOptions<PromptTemplatesOptions> options, TimeProvider time)
    {
        _options = options.Value;
        _time = time;
        _script = new JinjaScript(_options.JinjaScriptPath);
    }

    /// <param name="model">Whose template and special tokens are used. One without a template gets the conversation as plain
    /// text.</param>
    /// <param name="messages">The conversation, oldest first.</param>
    /// <param name="tools">In OpenAI's form: <c>{"type":"function","function":{…}}</c>.</param>
    /// <param name="addGenerationPrompt">Whether the prompt ends where the assistant begins to speak.</param>
    /// <param name="options">What the request says about rendering.</param>
    /// <returns>The prompt. It may begin with the text of the model's BOS token.</returns>
    /// <exception cref="TemplateException">The template refuses the conversation in all forms (the words are those for the first), or is broken.</exception>
    public string Render(
        ModelView model,
        IReadOnlyList<ChatMessage> messages,
        IReadOnlyList<JsonElement> tools,
        bool addGenerationPrompt,
        TemplateOptions? options = null)
    {
        if (model.Template is null)
        {
            return tools.Count == 0
                ? PlainPrompt.Render(messages)
                : throw new TemplateException($"model '{model.Name}' has no chat template to tell it of tools") { IsRefusal = true };
        }
        TemplateException? refusal = null;
        string? lacking = null;
        foreach (IReadOnlyList<ChatMessage> turns in AdaptedTurns.Of(messages, () => lacking is null))
        {
            try
            {
                string prompt = Render(model.Template, TemplateInput.Write(model, turns, tools, addGenerationPrompt, options));
                if (!AdaptedTurns.LacksSystem(prompt, turns))
                    return prompt;
                lacking ??= prompt;
            }
            catch (TemplateException e) when (e.IsRefusal || lacking is not null)
            {
                refusal ??= e;
            }
        }
        return lacking ?? throw refusal!;
    }

    /// <summary>
    /// Parses the library, compiles the model's template and renders some conversations, so that the first request need not wait
    /// for any of it (0.5 to 1 s).
    /// </summary>
    public void WarmUp(ModelView model)
    {
        JsonElement[] tools = model.TakesTools ? [ExampleConversation.Tool] : [];
        for (int i = 0; i < WarmUpRenders; i++)
            Render(model, ExampleConversation.Hello, i % 2 == 0 ? [] : tools, addGenerationPrompt: true);
    }

    public void Dispose()
    {
        while (_idle.TryPop(out JinjaEngine? engine))
            engine.Dispose();
    }

    private string Render(string template, string input)
    {
        // The engine used last comes first: the one whose templates are compiled.
        if (!_idle.TryPop(out JinjaEngine? engine))
            engine = new JinjaEngine(_script, _options, _time);
        try
        {
            return engine.Render(template, input);
        }
        finally
        {
            if (engine.IsUsable && _idle.Count < MostIdle)
                _idle.Push(engine);
            else
                engine.Dispose();
        }
    }
}
