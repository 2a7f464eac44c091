/** What the page says, in English and Korean. */

const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

export const LABELS = {
  en: {
    language: "en",
    otherLanguage: "ko",
    other: "한국어",
    title: "Search by meaning",
    model: "Model",
    searched: "Sentences",
    languages: {en: "English", ko: "Korean"},
    about: "A sentence encoder runs in this browser. What you type stays on this device.",
    placeholder: "Type a few words…",
    suggestions: ["making music", "a nap on the sofa", "somebody repairs a bicycle", "a sweet dessert", "체스 두기"],
    loading: (size, total) => (total ? `Loading the model: ${megabytes(size)} of ${megabytes(total)} MB` : "Loading…"),
    ready: (count) => `Ready: ${count.toLocaleString("en")} sentences.`,
    times: ({embed, search}) => `Vector ${embed.toFixed(1)} ms, search ${search.toFixed(1)} ms`,
    figures: ({bytes, dim}, {load}) =>
      `Model ${megabytes(bytes)} MB, ready in ${(load / 1000).toFixed(1)} s; vectors of ${dim} numbers. Scores are cosines.`,
    failed: (reason) => `This did not work. ${reason}.`,
  },
  ko: {
    language: "ko",
    otherLanguage: "en",
    other: "English",
    title: "뜻으로 찾기",
    model: "모델",
    searched: "문장",
    languages: {en: "영어", ko: "한국어"},
    about: "문장 인코더가 이 브라우저 안에서 돕니다. 입력한 글은 이 기기를 떠나지 않습니다.",
    placeholder: "몇 단어를 입력해 보세요…",
    suggestions: ["음악을 연주하는 사람", "자전거를 고치는 사람", "체스 두기", "a person takes a nap", "die Musik"],
    loading: (size, total) => (total ? `모델을 불러오는 중: ${megabytes(total)} MB 중 ${megabytes(size)} MB` : "불러오는 중…"),
    ready: (count) => `준비됐습니다. 문장 ${count.toLocaleString("ko")}개에서 찾습니다.`,
    times: ({embed, search}) => `벡터 ${embed.toFixed(1)} ms, 검색 ${search.toFixed(1)} ms`,
    figures: ({bytes, dim}, {load}) =>
      `모델 ${megabytes(bytes)} MB, 준비 시간 ${(load / 1000).toFixed(1)}초. 벡터는 숫자 ${dim}개이고, 점수는 코사인입니다.`,
    failed: (reason) => `작동하지 않았습니다. ${reason}.`,
  },
};
