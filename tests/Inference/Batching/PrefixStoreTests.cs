using CsCheck;
using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Tests.Batching;

public sealed class PrefixStoreTests
{
    private const int BytesPerToken = 100;
    private const int TokenBytes = BytesPerToken + sizeof(int);

    [Fact]
    public void Known_Nothing_IsNothing()
    {
        using PrefixStore store = new(1000);

        store.Match("", [1, 2, 3]).Known.ShouldBe(0);
        store.Match("", [1, 2, 3]).Border.ShouldBe(0);
        store.Find("", [1, 2, 3], 0).ShouldBeNull();
    }

    [Fact]
    public void Find_PromptThatGoesOnElsewhere_IsKnownUpToThere()
    {
        using PrefixStore store = new(100_000);
        Save(store, [1, 2, 3, 4, 5, 6, 7], 3);

        store.Match("", [1, 2, 3, 4, 9]).Known.ShouldBe(4);
        store.Match("", [1, 2, 3, 4, 9]).Border.ShouldBe(3);
        store.Match("", [1, 2, 3, 4, 5, 6, 7], longest: 5).Border.ShouldBe(3);
        Loaded(store, [1, 2, 3, 4, 9]).ShouldBe([1, 2, 3, 4]);
        store.Find("", [1, 2, 3, 4, 9], 4).ShouldBeNull();
        store.Find("", [1, 2, 3], 3).ShouldBeNull();
    }

    [Fact]
    public void Add_PromptsThatBeginAlike_TakeMemoryForThatOnce()
    {
        using PrefixStore store = new(100_000);

        Save(store, [1, 2, 3, 4, 5], 2);
        Save(store, [1, 2, 3, 9], 2);
        Save(store, [1, 2, 3, 4, 5, 6], 2);
        Save(store, [1, 2, 3], 2);

        // [1 2] [3 4] [5] [6], and [3 9].
        store.Bytes.ShouldBe(8 * TokenBytes);
        Loaded(store, [1, 2, 3, 4, 5, 6]).ShouldBe([1, 2, 3, 4, 5, 6]);
        Loaded(store, [1, 2, 3, 9]).ShouldBe([1, 2, 3, 9]);
    }

    [Fact]
    public void Match_AnotherPartitionsPrompt_IsNotKnown()
    {
        using PrefixStore store = new(100_000);
        Save(store, [1, 2, 3], 2);

        store.Match("other", [1, 2, 3]).Known.ShouldBe(0);
        store.Find("other", [1, 2, 3], 0).ShouldBeNull();
        store.Add("other", [1, 2], new SequencePart(0, 2, 2 * BytesPerToken)).ShouldBeTrue();

        store.Bytes.ShouldBe(5 * TokenBytes);
        store.Match("other", [1, 2, 3]).Known.ShouldBe(2);
        store.Match("", [1, 2, 3]).Known.ShouldBe(3);
    }

    [Fact]
    public void Add_NoRoom_TheEndOfWhatIsUnusedForLongestGoes()
    {
        using PrefixStore store = new(6 * TokenBytes);
        Save(store, [1, 2, 3, 4], 2);
        Save(store, [5, 6], 2);
        Loaded(store, [1, 2, 3]).Length.ShouldBe(3);

        Save(store, [7, 8, 9, 10], 2);

        store.Bytes.ShouldBe(6 * TokenBytes);
        store.Match("", [5, 6]).Known.ShouldBe(0);
        store.Match("", [1, 2, 3, 4]).Known.ShouldBe(2);
        store.Match("", [7, 8, 9, 10]).Known.ShouldBe(4);
    }

    [Fact]
    public void Add_MoreThanThereIsRoomFor_KeepsWhatFits()
    {
        using PrefixStore store = new(5 * TokenBytes);

        Save(store, [1, 2, 3, 4, 5, 6, 7, 8], 2).ShouldBeFalse();

        store.Match("", [1, 2, 3, 4, 5, 6, 7, 8]).Known.ShouldBe(4);
        store.Bytes.ShouldBe(4 * TokenBytes);
    }

    [Fact]
    public void Add_NothingBeforeIt_Throws()
    {
        using PrefixStore store = new(1000);
        using SequencePart part = new(2, 1, 10);

        Should.Throw<ArgumentException>(() => store.Add("", [1, 2, 3], part)).Message.ShouldContain("ends at 2");
    }

    [Fact]
    public void Dispose_HoldsNothing()
    {
        PrefixStore store = new(100_000);
        Save(store, [1, 2, 3, 4], 2);
        SequencePart part = store.Find("", [1, 2], 0)!.Value.Block.Part;

        store.Dispose();

        part.IsClosed.ShouldBeTrue();
        store.Bytes.ShouldBe(0);
    }

    [Fact]
    public void Save_AnyPromptsInAnyOrder_GivesBackWhatItWasGiven() =>
        Gen.Select(Gen.Int[1, 3].Array[1, 12].Array[1, 40], Gen.Int[1, 40], Gen.Int[1, 5]).Sample(static (prompts, capacity, block) =>
        {
            using PrefixStore store = new(capacity * TokenBytes);
            foreach (int[] prompt in prompts)
            {
                bool isWhole = Save(store, prompt, block);

                store.Bytes.ShouldBeInRange(0, capacity * TokenBytes);
                store.Match("", prompt).Known.ShouldBe(isWhole ? prompt.Length : store.Match("", prompt).Border, "what was saved is there");
                (isWhole || prompt.Length > capacity).ShouldBeTrue();
                foreach (int[] other in prompts)
                    Loaded(store, other).ShouldBe(other[..store.Match("", other).Known]);
            }
        });

    private static bool Save(PrefixStore store, int[] prompt, int block)
    {
        while (store.Match("", prompt).Known < prompt.Length)
        {
            int start = store.Match("", prompt).Border, end = Math.Min(start + block, prompt.Length);
            if (!store.Add("", prompt.AsSpan(..end), new SequencePart(start, end - start, (nuint)((end - start) * BytesPerToken))))
                return false;
        }
        return true;
    }

    private static int[] Loaded(PrefixStore store, int[] prompt)
    {
        List<int> tokens = [];
        while (store.Find("", prompt, tokens.Count) is ({ } block, var common))
            tokens.AddRange(block.Tokens[..common]);
        return [.. tokens];
    }
}
