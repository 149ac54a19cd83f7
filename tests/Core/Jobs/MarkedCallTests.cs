using CsCheck;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;

namespace OllamaMax.Core.Tests.Jobs;

public sealed class MarkedCallTests
{
    private const string Text = "{\"s\":\"x\"}";

    /// <summary>As the models' templates write a call of <c>f</c> with <c>s</c>, a text.</summary>
    private static readonly Dictionary<ToolCallForm, string> Calls = new()
    {
        [ToolCallForm.Functions] = "<tool_call>\n<function=f>\n<parameter=s>\nx\n</parameter>\n</function>\n</tool_call>",
        [ToolCallForm.SeedOss] = "<seed:tool_call>\n<function=f>\n<parameter=s>x</parameter>\n</function>\n</seed:tool_call>",
        [ToolCallForm.Glm] = "<tool_call>f\n<arg_key>s</arg_key>\n<arg_value>x</arg_value>\n</tool_call>",
        [ToolCallForm.MiniMax] = "<minimax:tool_call>\n<invoke name=\"f\">\n<parameter name=\"s\">x</parameter>\n</invoke>\n</minimax:tool_call>",
        [ToolCallForm.DeepSeek] = $"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{Text}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        [ToolCallForm.DeepSeekFenced] = $"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{Text}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        [ToolCallForm.Dsml] = "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"f\">\n<｜DSML｜parameter name=\"s\" string=\"true\">x</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>",
        [ToolCallForm.DsmlTools] = "<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"f\">\n<｜DSML｜parameter name=\"s\" string=\"true\">x</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>",
        [ToolCallForm.Gemma4] = "<|tool_call>call:f{s:<|\"|>x<|\"|>}<tool_call|>",
        [ToolCallForm.FunctionGemma] = "<start_function_call>call:f{s:<escape>x<escape>}<end_function_call>",
        [ToolCallForm.Kimi] = $"<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{Text}<|tool_call_end|><|tool_calls_section_end|>",
        [ToolCallForm.Lfm2] = "<|tool_call_start|>[f(s='x')]<|tool_call_end|>",
        [ToolCallForm.Granite] = $"<|tool_call|>[{{\"name\": \"f\", \"arguments\": {Text}}}]",
        [ToolCallForm.Olmo3] = "<function_calls>f(s=\"x\")</function_calls>",
        [ToolCallForm.Apriel] = $"<tool_calls>[{{\"name\": \"f\", \"arguments\": {Text}}}]</tool_calls>",
        [ToolCallForm.Nemotron2] = $"<TOOLCALL>[{{\"name\": \"f\", \"arguments\": {Text}}}]</TOOLCALL>",
        [ToolCallForm.Atem] = "<atem:function_calls>\n<atem:invoke name=\"f\">\n<atem:parameter name=\"s\">x</atem:parameter>\n</atem:invoke>\n</atem:function_calls>",
        [ToolCallForm.Command] = $"<|START_ACTION|>[\n    {{\"tool_call_id\": \"0\", \"tool_name\": \"f\", \"parameters\": {Text}}}\n]<|END_ACTION|>",
    };

    public static TheoryData<ToolCallForm> Forms { get; } = [.. Calls.Keys];

    [Theory]
    [MemberData(nameof(Forms))]
    public void Append_CallAsTheTemplateWritesIt_IsOne(ToolCallForm form) => Of(form, Calls[form]).ShouldBe(new("", "", $"f{Text}"));

    [Theory]
    [MemberData(nameof(Forms))]
    public void Append_TextAroundCalls_StaysText(ToolCallForm form) =>
        Of(form, $"Let me <see>.\n\n{Calls[form]}\n{Calls[form]}\nDone < it. ").ShouldBe(new("Let me <see>.Done < it. ", "", $"f{Text}|f{Text}"));

    [Theory]
    [MemberData(nameof(Forms))]
    public void Append_CallCutOff_IsText(ToolCallForm form)
    {
        string begin = Calls[form][..Calls[form].IndexOf('x', StringComparison.Ordinal)];

        Of(form, $"So: {begin}").ShouldBe(new($"So: {begin}", "", ""));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Append_AnotherFormsCall_IsText(ToolCallForm form)
    {
        foreach ((ToolCallForm other, string call) in Calls)
        {
            // What differs in the marks around alone is understood: they may be missing.
            bool isAlike = form == other || (form, other) is (ToolCallForm.Functions or ToolCallForm.SeedOss, ToolCallForm.Functions or ToolCallForm.SeedOss)
                or (ToolCallForm.Dsml or ToolCallForm.DsmlTools, ToolCallForm.Dsml or ToolCallForm.DsmlTools);
            if (!isAlike)
                Of(form, call).ShouldBe(new(call, "", ""), $"{other}");
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Append_CallAfterAMarkThatIsNone_IsOne(ToolCallForm form)
    {
        CallForm marks = CallForms.Of(form)!;
        string mark = (marks.Open.Length > 0 ? marks.Open : marks.SectionOpen).Trim();

        Of(form, $"I write {mark} so: {Calls[form]}").ShouldBe(new($"I write {mark} so:", "", $"f{Text}"));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Append_Call_LeavesWithItsLastCharacterAndTheTextBeforeAtOnce(ToolCallForm form)
    {
        Assembler assembler = new([], new() { ToolCalls = form });
        string call = Calls[form];
        int end = Enumerable.Range(1, call.Length).First(length => Of(form, call[..length]).Calls.Length > 0);

        assembler.Append("One moment"u8).Text.ShouldBe("One moment");
        assembler.Append(System.Text.Encoding.UTF8.GetBytes(call[..(end - 1)])).IsEmpty.ShouldBeTrue();
        assembler.Append(System.Text.Encoding.UTF8.GetBytes(call[(end - 1)..end])).ToolCalls.ShouldHaveSingleItem().Name.ShouldBe("f");
        assembler.Append(System.Text.Encoding.UTF8.GetBytes(call[end..])).IsEmpty.ShouldBeTrue();
        assembler.Complete().IsEmpty.ShouldBeTrue();
    }

    [Theory]
    [InlineData(ToolCallForm.Functions, "<function=f>\n<parameter=s>\nx\n</parameter>\n</function>", "", $"f{Text}")]
    [InlineData(ToolCallForm.Functions, "<tool_call><function=f></function></tool_call>", "", "f{}")]
    [InlineData(ToolCallForm.Functions, "<tool_call>\n<function=f>\n<parameter=s>\n\nx </function>\n\n</parameter></function>", "", "f{\"s\":\"\\nx </function>\\n\"}")]
    [InlineData(ToolCallForm.Functions, "<tool_call>\n<function=f>\n<parameter=s>\n{\"a\": [1]}\n</parameter>\n</function>", "", "f{\"s\":{\"a\":[1]}}")]
    [InlineData(ToolCallForm.Functions, "<function=f>x</function><function=f></function>", "<function=f>x</function>", "f{}")]
    [InlineData(ToolCallForm.Functions, "<function=f><parameter=></parameter></function>", "<function=f><parameter=></parameter></function>", "")]
    [InlineData(ToolCallForm.Functions, "<tool_call>{\"name\":\"f\"}</tool_call>", "<tool_call>{\"name\":\"f\"}</tool_call>", "")]
    [InlineData(ToolCallForm.Glm, "<tool_call>f<arg_key>s</arg_key><arg_value>x\n</arg_value><arg_key>n</arg_key><arg_value>1.50</arg_value></tool_call>", "", "f{\"s\":\"x\\n\",\"n\":1.50}")]
    [InlineData(ToolCallForm.Functions, "<tool_call>\n<tool_call>\n<function=f></function>", "", "f{}")]
    [InlineData(ToolCallForm.Kimi, "a <|tool_call_begin|>: <|tool_calls_section_begin|> b", "a <|tool_call_begin|>: <|tool_calls_section_begin|> b", "")]
    [InlineData(ToolCallForm.Glm, "<tool_call>f</tool_call>", "", "f{}")]
    [InlineData(ToolCallForm.Glm, "<tool_call>f<tool_call>f</tool_call>", "<tool_call>f", "f{}")]
    [InlineData(ToolCallForm.Dsml, "<｜DSML｜invoke name=\"f\"><｜DSML｜parameter name=\"s\" string=\"true\">1</｜DSML｜parameter><｜DSML｜parameter name=\"n\" string=\"false\">1</｜DSML｜parameter></｜DSML｜invoke>", "", "f{\"s\":\"1\",\"n\":1}")]
    [InlineData(ToolCallForm.MiniMax, "<minimax:tool_call><invoke name=\"f\"></invoke><invoke name=\"g\"></invoke></minimax:tool_call>", "", "f{}|g{}")]
    [InlineData(ToolCallForm.DeepSeek, "<｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"s\":\"<｜tool▁call▁end｜>}\"}", "", "f{\"s\":\"<｜tool▁call▁end｜>}\"}")]
    [InlineData(ToolCallForm.DeepSeek, "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>[1]<｜tool▁call▁end｜>", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>[1]<｜tool▁call▁end｜>", "")]
    [InlineData(ToolCallForm.Kimi, "<|tool_call_begin|>f:12<|tool_call_argument_begin|>{}<|tool_call_end|>", "", "f{}")]
    [InlineData(ToolCallForm.Gemma4, "<|tool_call>call:f{a:[1,-2.5],b:{c:<|\"|>}\"<tool_call|><|\"|>},d:true,e:None,<|\"|>g h<|\"|>:1}<tool_call|><tool_call|>", "", "f{\"a\":[1,-2.5],\"b\":{\"c\":\"}\\\"<tool_call|>\"},\"d\":true,\"e\":null,\"g h\":1}")]
    [InlineData(ToolCallForm.Gemma4, "<|tool_call>call:f{a:b}<tool_call|>", "<|tool_call>call:f{a:b}<tool_call|>", "")]
    [InlineData(ToolCallForm.Lfm2, "<|tool_call_start|>[f(a=1, b='it\\'s ]', c=[True, None], d={'k': \"v\\n\"}), g()]<|tool_call_end|> Now.", "Now.", "f{\"a\":1,\"b\":\"it's ]\",\"c\":[true,null],\"d\":{\"k\":\"v\\n\"}}|g{}")]
    [InlineData(ToolCallForm.Lfm2, "<|tool_call_start|>[f(1)]<|tool_call_end|>", "<|tool_call_start|>[f(1)]<|tool_call_end|>", "")]
    [InlineData(ToolCallForm.Lfm2, "<|tool_call_start|>[f(1), g(a=2)]", "<|tool_call_start|>[f(1), g(a=2)]", "")]
    [InlineData(ToolCallForm.Lfm2, "<|tool_call_start|>[f(a='\\ud800\\u00e9\\x41\\d')]", "", "f{\"a\":\"\\uFFFDéA\\\\d\"}")]
    [InlineData(ToolCallForm.Lfm2, "[f(a=1)]", "[f(a=1)]", "")]
    [InlineData(ToolCallForm.Olmo3, "<function_calls>f(a=1, b=\"it's )\\n\", c=[true, null], d={\"k\": [{\"l\": 1.5}]})\ng()</function_calls> Now.", "Now.", "f{\"a\":1,\"b\":\"it's )\\n\",\"c\":[true,null],\"d\":{\"k\":[{\"l\":1.5}]}}|g{}")]
    [InlineData(ToolCallForm.Olmo3, "<function_calls>\n f (\n a='é',\n)\n", "", "f{\"a\":\"é\"}")]
    [InlineData(ToolCallForm.Olmo3, "<function_calls>f()\nand so on", "and so on", "f{}")]
    [InlineData(ToolCallForm.Olmo3, "<function_calls>f()</function_calls>g()", "g()", "f{}")]
    [InlineData(ToolCallForm.Olmo3, "<function_calls></function_calls>", "<function_calls></function_calls>", "")]
    [InlineData(ToolCallForm.Olmo3, "<function_calls>f(1)</function_calls>", "<function_calls>f(1)</function_calls>", "")]
    [InlineData(ToolCallForm.Olmo3, "f(a=1)", "f(a=1)", "")]
    [InlineData(ToolCallForm.Atem, "<atem:function_calls><atem:invoke name=\"f.f\"><atem:parameter name=\"s\"> x\n\"y\" </atem:parameter></atem:invoke>", "", "f{\"s\":\" x\\n\\\"y\\\" \"}")]
    [InlineData(ToolCallForm.Atem, "<atem:invoke name=\"a.f\"></atem:invoke><atem:invoke name=\"a.a.f\"></atem:invoke>", "", "a.f{}|a.f{}")]
    [InlineData(ToolCallForm.Apriel, "<tool_calls>[{\"name\":\"f\",\"arguments\":{}}, {\"name\":\"g\",\"arguments\":{}}]</tool_calls>", "", "f{}|g{}")]
    [InlineData(ToolCallForm.Granite, "<|tool_call|> [{\"name\":\"f\",\"arguments\":{}},{\"name\":\"g\"}]", "", "f{}|g{}")]
    [InlineData(ToolCallForm.Granite, "<|tool_call|>[]", "<|tool_call|>[]", "")]
    [InlineData(ToolCallForm.Granite, "<|tool_call|>[{\"name\":\"f\"},1]", "<|tool_call|>[{\"name\":\"f\"},1]", "")]
    public void Append_OddAnswer_CallsAndTextApart(ToolCallForm form, string answer, string text, string calls) => Of(form, answer).ShouldBe(new(text, "", calls));

    [Theory]
    [InlineData(ToolCallForm.Gemma4, "<|tool_call>call:f{a:<|\"|>ls}<tool_call|>", "", "f{\"a\":\"ls\"}")]
    [InlineData(ToolCallForm.Gemma4, "<|tool_call>call:f{b:[1],a:{c:<|\"|>l s]}}<tool_call|> Now.", "Now.", "f{\"b\":[1],\"a\":{\"c\":\"l s]\"}}")]
    [InlineData(ToolCallForm.Gemma4, "<|tool_call>call:f{a:<|\"|>ls<tool_call|>", "", "f{\"a\":\"ls\"}")]
    [InlineData(ToolCallForm.Gemma4, "<|tool_call>call:f{a:<|\"|>ls<|\"|><tool_call|>", "", "f{\"a\":\"ls\"}")]
    [InlineData(ToolCallForm.Gemma4, "<|tool_call>call:f{a:'ls'<|\"|>}<tool_call|>", "", "f{\"a\":\"ls\"}")]
    [InlineData(ToolCallForm.Gemma4, "<|tool_call>call:f{a:<|\"|>x}<tool_call|><|tool_call>call:g{b:<|\"|>y<|\"|>}<tool_call|>", "", "f{\"a\":\"x\"}|g{\"b\":\"y\"}")]
    [InlineData(ToolCallForm.Gemma4, "<|tool_call>call:f{a:1}<tool_call|><|tool_response>", "", "f{\"a\":1}")]
    [InlineData(ToolCallForm.Gemma4, "<|tool_call>call:f{a:<|\"|>half of", "<|tool_call>call:f{a:<|\"|>half of", "")]
    [InlineData(ToolCallForm.Gemma4, "<|tool_call>call:f{a:1", "<|tool_call>call:f{a:1", "")]
    [InlineData(ToolCallForm.FunctionGemma, "<start_function_call>call:f{a:<escape>ls}<end_function_call><start_function_response>", "", "f{\"a\":\"ls\"}")]
    [InlineData(ToolCallForm.Glm, "<tool_call>f<arg_key>a</arg_key><arg_value>1", "<tool_call>f<arg_key>a</arg_key><arg_value>1", "")]
    [InlineData(ToolCallForm.Glm, "<tool_call>f<arg_key>a</arg_key><arg_value>1</tool_call>", "", "f{\"a\":1}")]
    [InlineData(ToolCallForm.Glm, "<tool_call>f<arg_key>a</arg_key><arg_value>1<arg_key>b</arg_key><arg_value>x</tool_call>", "", "f{\"a\":1,\"b\":\"x\"}")]
    [InlineData(ToolCallForm.Glm, "<tool_call>f<arg_key>a<arg_value>1</arg_value></tool_call> Now.", "Now.", "f{\"a\":1}")]
    [InlineData(ToolCallForm.Glm, "<tool_call>f<arg_key>a</arg_key>1</arg_value></tool_call>", "<tool_call>f<arg_key>a</arg_key>1</arg_value></tool_call>", "")]
    [InlineData(ToolCallForm.Functions, "<function=f><parameter=a>\n1\n<parameter=b>\nx\n</function>", "", "f{\"a\":1,\"b\":\"x\"}")]
    public void Append_EndsMissing_AreMadeUpWhereTheCallIsClosed(ToolCallForm form, string answer, string text, string calls) => Of(form, answer).ShouldBe(new(text, "", calls));

    [Theory]
    [InlineData("<tool_call>f\n<arg_key>s</arg_key>\n<arg_value>x</arg_value>\n", "", "f{\"s\":\"x\"}")]
    [InlineData("<tool_call>f\n<arg_key>s</arg_key>\n<arg_value>x</arg_value></tool_c", "", "f{\"s\":\"x\"}")]
    [InlineData("<tool_call>f\n<arg_key>s</arg_key>\n<arg_value>x</arg_v", "<tool_call>f\n<arg_key>s</arg_key>\n<arg_value>x</arg_v", "")]
    [InlineData("<tool_call>f\n<arg_key>s</arg_key>\n<arg_value>x</arg_value>\n<arg_key>", "<tool_call>f\n<arg_key>s</arg_key>\n<arg_value>x</arg_value>\n<arg_key>", "")]
    [InlineData("<tool_call>g\n<arg_key>s</arg_key>\n<arg_value>x</arg_value>\n", "<tool_call>g\n<arg_key>s</arg_key>\n<arg_value>x</arg_value>\n", "")]
    public void Append_CallsCloseMissingAtTheEnd_IsMadeUpForAKnownFunctionWithWholeArguments(string answer, string text, string calls)
    {
        OutputParsing parsing = new()
        {
            ToolCalls = ToolCallForm.Glm,
            Arguments = new Dictionary<string, IReadOnlyDictionary<string, ArgumentTypes>> { ["f"] = new Dictionary<string, ArgumentTypes> { ["s"] = ArgumentTypes.Texts } },
        };

        Assembly.Of(parsing, answer).ShouldBe(new(text, "", calls));
    }

    /// <summary>More arguments may have been about to come, or more reasoning: half a call is not to be run.</summary>
    [Theory]
    [InlineData("<tool_call>f\n<arg_key>s</arg_key>\n<arg_value>x</arg_value>\n", false, "<tool_call>f\n<arg_key>s</arg_key>\n<arg_value>x</arg_value>\n", "")]
    [InlineData("I call <tool_call>f\n<arg_key>s</arg_key>\n<arg_value>x</arg_value></tool_call>", true, "", "I call <tool_call>f\n<arg_key>s</arg_key>\n<arg_value>x</arg_value></tool_call>")]
    [InlineData("<tool_call>f\n<arg_key>s</arg_key>\n<arg_value>the mark </tool_call> ends", false, "<tool_call>f\n<arg_key>s</arg_key>\n<arg_value>the mark </tool_call> ends", "")]
    public void Complete_CutAtALimit_MakesUpNoCall(string answer, bool isThinking, string text, string thinking)
    {
        OutputParsing parsing = new()
        {
            ToolCalls = ToolCallForm.Glm,
            Thinking = isThinking ? new("<think>", "</think>", IsOpen: true) : null,
            Arguments = new Dictionary<string, IReadOnlyDictionary<string, ArgumentTypes>> { ["f"] = new Dictionary<string, ArgumentTypes> { ["s"] = ArgumentTypes.Texts } },
        };
        Assembler assembler = new([], parsing), whole = new([], parsing);
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(answer);

        Assembled cut = assembler.Append(bytes) + assembler.Complete(isCut: true);

        (cut.Text, cut.Thinking, cut.ToolCalls.Count).ShouldBe((text, thinking, 0));
        (whole.Append(bytes) + whole.Complete()).ToolCalls.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("12", ArgumentTypes.Texts, "\"12\"")]
    [InlineData("12", ArgumentTypes.Texts | ArgumentTypes.Nulls, "\"12\"")]
    [InlineData("null", ArgumentTypes.Texts | ArgumentTypes.Nulls, "null")]
    [InlineData("12", ArgumentTypes.Texts | ArgumentTypes.Numbers, "12")]
    [InlineData("12", ArgumentTypes.Any, "12")]
    [InlineData("twelve", ArgumentTypes.Numbers, "\"twelve\"")]
    [InlineData("True", ArgumentTypes.Booleans, "true")]
    [InlineData("True", ArgumentTypes.Any, "\"True\"")]
    [InlineData("['a', 1]", ArgumentTypes.Arrays, "[\"a\",1]")]
    [InlineData("1.5", ArgumentTypes.Objects, "1.5")]
    public void Append_ValueWithoutQuotes_IsOfTheSchemasType(string value, ArgumentTypes types, string read)
    {
        OutputParsing parsing = new()
        {
            ToolCalls = ToolCallForm.Functions,
            Arguments = new Dictionary<string, IReadOnlyDictionary<string, ArgumentTypes>> { ["f"] = new Dictionary<string, ArgumentTypes> { ["v"] = types } },
        };

        Assembly.Of(parsing, $"<tool_call>\n<function=f>\n<parameter=v>\n{value}\n</parameter>\n</function>\n</tool_call>").Calls.ShouldBe($"f{{\"v\":{read}}}");
    }

    [Theory]
    [InlineData(ToolCallForm.Functions, ArgumentTypes.Any)]
    [InlineData(ToolCallForm.Functions, ArgumentTypes.Arrays)]
    [InlineData(ToolCallForm.Gemma4, ArgumentTypes.Any)]
    [InlineData(ToolCallForm.Lfm2, ArgumentTypes.Any)]
    [InlineData(ToolCallForm.Kimi, ArgumentTypes.Any)]
    public void Append_DeepArgument_IsACallAsFarAsItCanBeWrittenOn(ToolCallForm form, ArgumentTypes types)
    {
        OutputParsing parsing = new()
        {
            ToolCalls = form,
            Arguments = new Dictionary<string, IReadOnlyDictionary<string, ArgumentTypes>> { ["f"] = new Dictionary<string, ArgumentTypes> { ["s"] = types } },
        };
        foreach (int depth in Enumerable.Range(1, 70).Append(500))
        {
            string value = new string('[', depth) + '1' + new string(']', depth);
            Assembly read = Assembly.Of(parsing, form switch
            {
                ToolCallForm.Functions => $"<function=f>\n<parameter=s>\n{value}\n</parameter>\n</function>",
                ToolCallForm.Gemma4 => $"<|tool_call>call:f{{s:{value}}}<tool_call|>",
                ToolCallForm.Lfm2 => $"<|tool_call_start|>[f(s={value})]<|tool_call_end|>",
                _ => $"<|tool_call_begin|>f:0<|tool_call_argument_begin|>{{\"s\":{value}}}<|tool_call_end|>",
            });
            bool isWhole = read.Calls == $"f{{\"s\":{value}}}";
            isWhole.ShouldBe(depth <= (form == ToolCallForm.Functions ? 56 : 55), $"{depth}");
            // Otherwise it is the text that it was, of the argument or of the answer.
            (read.Text + read.Calls).ShouldContain(value);
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Append_AnyAnswerCutAnywhere_SameAsAtOnce(ToolCallForm form)
    {
        Gen.Select(GenAnswer(form), Gen.Int[0, 9].Array[0, 60]).Sample((answer, cuts) =>
        {
            OutputParsing parsing = new() { ToolCalls = form };
            Assembly whole = Assembly.Of(parsing, answer);
            Assembly.Of(parsing, answer, cuts).ShouldBe(whole);
            Assembly.Of(parsing, answer, [.. Enumerable.Repeat(1, 2000)]).ShouldBe(whole);
        });
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Append_AnyAnswer_LosesNothingButMarks(ToolCallForm form)
    {
        GenAnswer(form).Sample(answer =>
        {
            Assembly assembly = Of(form, answer);
            (assembly.Text.Count(c => c == '#') + assembly.Calls.Count(c => c == '#')).ShouldBe(answer.Count(c => c == '#'));
            if (assembly.Calls.Length == 0)
                assembly.Text.ShouldBe(answer);
        });
    }

    private static Assembly Of(ToolCallForm form, string answer) => Assembly.Of(new() { ToolCalls = form }, answer);

    /// <summary>Calls, their pieces, and text between them. '#' stands where nothing may be lost.</summary>
    private static Gen<string> GenAnswer(ToolCallForm form)
    {
        string call = Calls[form].Replace("x", "#", StringComparison.Ordinal);
        string[] pieces = [.. Enumerable.Range(0, 8).Select(i => call[(i * call.Length / 8)..((i + 1) * call.Length / 8)])];
        CallForm marks = CallForms.Of(form)!;
        string[] all = [call, call, .. pieces, marks.Open.Trim(), marks.Close.Trim(), marks.SectionOpen.Trim(), marks.SectionClose.Trim(), "<", "{", "}", "]", "\"", " ", "\n", "#", "é#😀"];
        return Gen.OneOf([.. all.Select(Gen.Const)]).Array[0, 14].Select(string.Concat);
    }
}
