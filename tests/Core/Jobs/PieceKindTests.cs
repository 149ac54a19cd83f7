using System.Text;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;
using OllamaMax.Streaming;

namespace OllamaMax.Core.Tests.Jobs;

/// <summary>Pieces that a server has taken apart itself.</summary>
public sealed class PieceKindTests
{
    private const string Call = """{"name":"f","arguments":{"a":1}}""";

    [Fact]
    public void Append_PiecesOfAllKinds_EachGoesWhereItBelongs()
    {
        Assembler assembler = new([]);
        Assembled all = Append(assembler, (PieceKind.Thinking, "Hm. <think>"), (PieceKind.Text, "It "), (PieceKind.Text, "is."), (PieceKind.ToolCall, Call));

        all.Thinking.ShouldBe("Hm. <think>");
        assembler.ReasoningTokens.ShouldBe(1);
        all.Text.ShouldBe("It is.");
        ToolCall call = all.ToolCalls.ShouldHaveSingleItem();
        (call.Name, call.Arguments.GetRawText()).ShouldBe(("f", """{"a":1}"""));
    }

    [Fact]
    public void Append_TextThatLooksLikeACall_StaysText()
    {
        Assembled all = Append(new Assembler([]), (PieceKind.Text, $"<tool_call>{Call}</tool_call>"), (PieceKind.Text, "<think>no</think>"));

        all.Text.ShouldBe($"<tool_call>{Call}</tool_call><think>no</think>");
        all.ToolCalls.ShouldBeEmpty();
    }

    [Fact]
    public void Append_StopString_IsFoundInTheTextAloneAndAcrossPieces()
    {
        Assembler assembler = new(["END"]);

        Assembled all = Append(assembler, (PieceKind.Text, "a EN"), (PieceKind.Thinking, "END"), (PieceKind.Text, "D b"));

        all.Text.ShouldBe("a ");
        all.Thinking.ShouldBe("END");
        assembler.StoppedBy.ShouldBe("END");
    }

    [Theory]
    [InlineData("not JSON")]
    [InlineData("""{"arguments":{}}""")]
    public void Append_CallThatIsNone_IsText(string text) =>
        Append(new Assembler([]), (PieceKind.ToolCall, text)).Text.ShouldBe(text);

    [Fact]
    public void Collect_SomePiecesHaveLogprobs_TheChunkIsWellFormed()
    {
        AttemptBuffer buffer = new(0, _ => { });
        buffer.Write(0, PieceKind.Thinking, "hm"u8);
        buffer.Write(1, PieceKind.Text, "a"u8, new TokenLogprobs(-1, []));

        Chunk chunk = buffer.Collect(TimeSpan.Zero).ShouldNotBeNull();

        chunk.IsWellFormed.ShouldBeTrue();
        chunk.Logprobs.ShouldNotBeNull().Select(one => one?.Logprob).ShouldBe([null, -1f]);
    }

    private static Assembled Append(Assembler assembler, params (int Kind, string Text)[] pieces)
    {
        byte[][] bytes = [.. pieces.Select(piece => Encoding.UTF8.GetBytes(piece.Text))];
        Assembled all = assembler.Append(new Chunk(0, [.. pieces.Select(piece => piece.Kind)], [.. bytes.Select(one => one.Length)], [.. bytes.SelectMany(one => one)]));
        return all + assembler.Complete();
    }
}
