using Acornima.Ast;
using Jint;
using Jint.Native;
using Jint.Runtime;

namespace OllamaMax.Edge.Templates;

/// <summary>One JavaScript engine with the Jinja library in it, and the templates it has compiled. For one thread at a time.</summary>
internal sealed class JinjaEngine : IDisposable
{
    private readonly Engine _engine;
    private readonly JsValue _compile;
    private readonly JsValue _render;
    private readonly int _capacity;
    private readonly Dictionary<string, LinkedListNode<(string Source, JsValue Program)>> _programs = [];
    private readonly LinkedList<(string Source, JsValue Program)> _leastRecentFirst = new();

    public JinjaEngine(JinjaScript script, PromptTemplatesOptions options, TimeProvider clock)
    {
        _capacity = options.CompiledTemplates;
        _engine = new Engine(o => Limit(o, options));
        _engine.Execute("var module = { exports: {} };");
        foreach (Prepared<Script> part in script.Library)
            _engine.Execute(part);
        Func<string, string> now = format => Strftime.Format(clock.GetUtcNow(), format);
        JsValue api = _engine.Invoke(_engine.Evaluate(JinjaScript.AdapterScript), now, options.LongestString);
        _compile = api.Get("compile");
        _render = api.Get("render");
    }

    /// <summary>False after an error that may have left the engine in the middle of something.</summary>
    public bool IsUsable { get; private set; } = true;

    /// <param name="template">Jinja source.</param>
    /// <param name="input">Its variables, a JSON object.</param>
    /// <exception cref="TemplateException">See there.</exception>
    public string Render(string template, string input)
    {
        try
        {
            return _engine.Invoke(_render, Compile(template), input).AsString();
        }
        catch (JavaScriptException e)
        {
            bool refused = e.Error.IsObject() && e.Error.Get("refusal").IsBoolean();
            throw new TemplateException(refused ? e.Message : $"the model's chat template failed: {e.Message}", e) { IsRefusal = refused };
        }
        catch (Exception e) when (e is TimeoutException or JintException)
        {
            IsUsable = false;
            throw new TemplateException($"the model's chat template was stopped: {Describe(e)}", e);
        }
    }

    public void Dispose() => _engine.Dispose();

    private JsValue Compile(string template)
    {
        if (_programs.TryGetValue(template, out LinkedListNode<(string Source, JsValue Program)>? known))
        {
            _leastRecentFirst.Remove(known);
            _leastRecentFirst.AddLast(known);
            return known.Value.Program;
        }
        JsValue program = _engine.Invoke(_compile, template);
        if (_programs.Count == _capacity && _leastRecentFirst.First is { } oldest)
        {
            _leastRecentFirst.Remove(oldest);
            _programs.Remove(oldest.Value.Source);
        }
        _programs.Add(template, _leastRecentFirst.AddLast((template, program)));
        return program;
    }

    private static void Limit(Options jint, PromptTemplatesOptions options)
    {
        jint.Constraint(new RenderTime(options.RenderTimeout));
        jint.LimitMemory(options.RenderMemory);
        jint.Constraints.StackOverflowGuard = true;
    }

    private static string Describe(Exception e) => e switch
    {
        TimeoutException => "it took too long",
        MemoryLimitExceededException => "it took too much memory",
        _ => e.Message,
    };
}
