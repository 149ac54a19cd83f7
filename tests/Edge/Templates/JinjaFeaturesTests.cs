using OllamaMax.Edge.Templates;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Templates;

/// <summary>What shipped templates use of Jinja2 and of Python's types, and the library lacks; values as Python has them.</summary>
public sealed class JinjaFeaturesTests
{
    private static readonly PromptTemplates Shared = TemplateModels.Templates();

    private static readonly ChatMessage User = new("user", "hi");

    /// <summary>A turn of the assistant's as DeepSeek's template writes it.</summary>
    private const string DeepSeek = """
        {%- for message in messages %}
        {%- if message['role'] == 'assistant' and message['content'] is none %}[call {{ message['tool_calls'][0]['function']['name'] + '\n' + message['tool_calls'][0]['function']['arguments'] }}]{% endif %}
        {%- if message['role'] == 'assistant' and message['content'] is not none %}[text {{ message['content'] }}]{% endif %}
        {%- endfor %}
        """;

    [Theory]
    [InlineData("{{ 'a b a'.find('b') }} {{ 'abc'.index('c') }} {{ 'abca'.rfind('a') }} {{ 'aXbXc'.count('X') }}", "2 2 3 2")]
    [InlineData("{{ 'a,b,c'.rsplit(',', 1) | join(';') }} {{ 'a,b'.rsplit(',', maxsplit=1) | first }} {{ 'a\nb\n'.splitlines() | length }}", "a,b;c a 2")]
    [InlineData("{{ 'k=v=w'.partition('=') | join('|') }} {{ 'k=v=w'.rpartition('=') | join('|') }} {{ 'k'.partition('=') | first }}", "k|=|v=w k=v|=|w k")]
    [InlineData("{{ 'pre-x'.removeprefix('pre-') }} {{ 'x.py'.removesuffix('.py') }} {{ 'x'.removesuffix('') }}", "x x x")]
    [InlineData("[{{ '\n a\n'.strip('\n') }}][{{ 'xxa '.lstrip('x') }}][{{ ' axx'.rstrip('x') }}][{{ ' a '.strip() }}]", "[ a][a ][ a][a]")]
    [InlineData("{{ '%s is %d, %5.2f %%' % ('a', 3, 2.5) }} {{ '%s' % 'x' }} {{ '%s-%s' | format('a', 1) }}", "a is 3,  2.50 % x a-1")]
    [InlineData("{{ '{} {0} {n} {{}} {:.2f} {:>4}'.format(1, 2, 3.14159, n='z') }} {{ ', '.join(['x', 'y']) }}", "1 1 z {} 2.00 3.14159 x, y")]
    public void Render_MethodOfAString_DoesWhatPythonsDoes(string template, string text) => Check(template, text);

    [Theory]
    [InlineData("{% set l = [1, 2, 3] %}{{ l.pop() }}{{ l.pop(0) }}{{ l }}", "31[2]")]
    [InlineData("{% set l = [1] %}{% do l.append(9) %}{% do l.extend([7, 9]) %}{% do l.insert(0, 5) %}{{ l }}{{ l.index(9) }}{{ l.count(9) }}", "[5, 1, 9, 7, 9]22")]
    [InlineData("{% set d = dict(a=1, b=2) %}{{ d.pop('a') }}{{ d.pop('z', 'no') }}{% set _ = d.update({'c': 3}, e=4) %}{{ d }}", "1no{\"b\": 2, \"c\": 3, \"e\": 4}")]
    [InlineData("{% set d = {'items': 7, 'get': 8} %}{{ d.items() | length }} {{ d['items'] }} {{ d.get('get') }}", "2 7 8")]
    [InlineData("{% set d = {0: 0, 512: 128} %}{% for k, v in d | dictsort %}{{ k + 1 }}:{{ v }} {% endfor %}{{ d[512] }} {{ 512 in d }}", "1:0 513:128 128 true")]
    [InlineData("{% for a, b in [('x', 1), ('y', 2)] %}{{ a }}{{ b }}{% endfor %}{{ (1, 2) is iterable }}", "x1y2true")]
    [InlineData("{% set m = messages[0] %}{% set m.seen = 1 %}{{ m.seen }}", "1")]
    public void Render_ListsAndObjects_CanBeChangedAndAsked(string template, string text) => Check(template, text);

    [Theory]
    [InlineData("{{ [1, 2] | sum }} {{ [{'n': 2}, {'n': 3}] | sum(attribute='n') }} {{ [1, 2, 3] | batch(2, 0) | list }} {{ 'a bb' | wordcount }}", "3 5 [[1, 2], [3, 0]] 2")]
    [InlineData("{{ 'abc' | first }}{{ 'abc' | last }} {{ [] | first is defined }} {{ 'ab' | count }} {{ [3, 1] | max }} {{ {'a': 1} | string }}", "ac false 2 3 {\"a\": 1}")]
    [InlineData("{{ ['a', 'b'] | map('upper') | join('-') }} {{ ['a', 'b'] | reject('equalto', 'a') | list }} {{ none | selectattr('x', 'equalto', 1) | list }}", "A-B [\"b\"] []")]
    [InlineData("{{ ['a', 'b'] | upper }} {{ nope | length }}{% for x in nope %}{% endfor %}{{ nope ~ 'x' }}", "[\"A\", \"B\"] 0x")]
    [InlineData("{{ [1] == [1] }} {{ [1] in [[1]] }} {{ 'a' < 'b' }} {{ 'ab' * 2 }} {{ 'args: ' + {'a': 1} }}", "true true true abab args: {\"a\": 1}")]
    [InlineData("{% for n in [{'v': 1, 'c': [{'v': 2}]}] recursive %}{{ n.v }}{% if n.c %}({{ loop(n.c) }}){% endif %}{% endfor %}", "1(2)")]
    [InlineData("{% set recursive = ['r'] %}{% for x in recursive %}{{ x }}{% endfor %}{% if recursive %}y{% endif %}", "ry")]
    public void Render_FiltersOperatorsAndLoops_AreJinja2s(string template, string text) => Check(template, text);

    [Theory]
    [InlineData("{{ tools is defined }} {{ tools | selectattr('type', 'equalto', 'x') | list }}", "false []")]
    [InlineData("{% if tools is not none %}tools{% else %}none{% endif %}", "none")]
    [InlineData("{% if not tools is defined %}{% set tools = none %}{% endif %}{{ tools is none }}", "true")]
    public void Render_NoTools_AreWhatTheTemplateAsksFor(string template, string text) => Check(template, text);

    [Fact]
    public void Render_CallsWithoutText_HaveNoContentWhereTheTemplateWantsNone()
    {
        ChatMessage call = new("assistant", "") { ToolCalls = [TemplateModels.Call] };

        Shared.Render(TemplateModels.With(DeepSeek), [User, call], [], false).ShouldBe("[call get_weather\n{\"city\": \"Oslo\", \"days\": 2}]");
        Shared.Render(TemplateModels.With(DeepSeek), [User, new("assistant", "")], [], false).ShouldBe("[text ]");
        Shared.Render(TemplateModels.With("{{ messages[0].content + '.' }}"), [call], [], false).ShouldBe(".");
    }

    [Fact]
    public void Render_TemplateThatRefusesASystemMessage_ShowsItBeforeTheUsersFirst()
    {
        ChatMessage[] messages = [new("system", "Be brief."), User, new("assistant", "yes?"), new("user", "why")];

        Shared.Render(TemplateModels.With(TemplateShapes.Gemma), messages, [], true).ShouldBe(
            "<s><start_of_turn>user\nBe brief.\n\nhi<end_of_turn>\n<start_of_turn>model\nyes?<end_of_turn>\n<start_of_turn>user\nwhy<end_of_turn>\n<start_of_turn>model\n");
    }

    private static void Check(string template, string text) => Shared.Render(TemplateModels.With(template), [User], [], true).ShouldBe(text);
}
