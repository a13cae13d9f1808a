/** Keys of the fleet's reports in their bucket: of a day (`2026/11/30`), and the last one. */
export const reportKey = (place: string, ending: 'html' | 'json'): string => `reports/${place}/fleet.${ending}`

export const latestReport = reportKey('latest', 'html')
